package dev.fdfiber.kernel;

import static dev.fdfiber.libc.LibC.C_INT;
import static dev.fdfiber.libc.LibC.C_POINTER;

import dev.fdfiber.libc.LibC;
import dev.fdfiber.libc.posix_spawn_file_actions_t;
import dev.fdfiber.libc.posix_spawnattr_t;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** posix_spawnp(3) with its attributes and file actions, which libc keeps on its own heap. */
final class PosixSpawn {
  /** What a JVM, or native code in it, may ignore for its own sake: a program expects to end. */
  private static final int[] WRITE_SIGNALS = {LibC.SIGPIPE(), LibC.SIGXFSZ()};

  private static final int[] TERMINAL_SIGNALS = {
    LibC.SIGHUP(), LibC.SIGINT(), LibC.SIGQUIT(), LibC.SIGTSTP(), LibC.SIGTTIN(), LibC.SIGTTOU()
  };

  private static final NativeCall SPAWNP =
      NativeCall.of("posix_spawnp", LibC.posix_spawnp$descriptor());
  private static final NativeCall INIT =
      NativeCall.of(
          "posix_spawn_file_actions_init", LibC.posix_spawn_file_actions_init$descriptor());
  private static final NativeCall DESTROY =
      NativeCall.of(
          "posix_spawn_file_actions_destroy", LibC.posix_spawn_file_actions_destroy$descriptor());
  private static final NativeCall DUP2 =
      NativeCall.of(
          "posix_spawn_file_actions_adddup2", LibC.posix_spawn_file_actions_adddup2$descriptor());
  private static final NativeCall OPEN =
      NativeCall.of(
          "posix_spawn_file_actions_addopen", LibC.posix_spawn_file_actions_addopen$descriptor());
  private static final NativeCall CLOSE =
      NativeCall.of(
          "posix_spawn_file_actions_addclose", LibC.posix_spawn_file_actions_addclose$descriptor());
  private static final NativeCall CLOSE_FROM =
      NativeCall.of(
          "posix_spawn_file_actions_addclosefrom_np",
          FunctionDescriptor.of(C_INT, C_POINTER, C_INT));
  private static final NativeCall CHDIR =
      NativeCall.of(
          "posix_spawn_file_actions_addchdir_np",
          FunctionDescriptor.of(C_INT, C_POINTER, C_POINTER));

  private PosixSpawn() {}

  /** The pid, or minus errno. These functions return errno and do not set it. */
  static int start(SpawnRequest request) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment actions = posix_spawn_file_actions_t.allocate(arena);
      int error = (int) INIT.with(actions);
      if (error != 0) {
        return -Math.abs(error);
      }
      try {
        for (SpawnRequest.Action action : request.actions()) {
          error = add(arena, actions, action);
          if (error != 0) {
            return -Math.abs(error);
          }
        }
        MemorySegment pid = arena.allocate(ValueLayout.JAVA_INT);
        error =
            (int)
                SPAWNP.with(
                    pid,
                    arena.allocateFrom(request.file()),
                    actions,
                    attributes(arena, request.newSession()),
                    strings(arena, request.arguments()),
                    strings(arena, request.environment()));
        return error == 0 ? pid.get(ValueLayout.JAVA_INT, 0) : -Math.abs(error);
      } finally {
        DESTROY.with(actions);
      }
    }
  }

  private static int add(Arena arena, MemorySegment actions, SpawnRequest.Action action) {
    return (int)
        switch (action) {
          case SpawnRequest.Duplicate(int from, int to) -> DUP2.with(actions, from, to);
          case SpawnRequest.Open(int fd, String path, int flags) ->
              OPEN.with(actions, fd, arena.allocateFrom(path), flags, 0);
          case SpawnRequest.Close(int fd) -> CLOSE.with(actions, fd);
          case SpawnRequest.CloseFrom(int fd) -> CLOSE_FROM.with(actions, fd);
          case SpawnRequest.Directory(String path) -> CHDIR.with(actions, arena.allocateFrom(path));
        };
  }

  /** A zeroed struct is an initialized one, and its signal mask is empty. */
  private static MemorySegment attributes(Arena arena, boolean newSession) {
    MemorySegment attributes = posix_spawnattr_t.allocate(arena);
    attributes.fill((byte) 0);
    // the JVM blocks some signals in its threads
    int flags = LibC.POSIX_SPAWN_SETSIGMASK() | LibC.POSIX_SPAWN_SETSIGDEF();
    long defaults = mask(WRITE_SIGNALS);
    if (newSession) {
      flags |= LibC.POSIX_SPAWN_SETSID();
      defaults |= mask(TERMINAL_SIGNALS);
    }
    posix_spawnattr_t.__sd(attributes).set(ValueLayout.JAVA_LONG, 0, defaults);
    posix_spawnattr_t.__flags(attributes, (short) flags);
    return attributes;
  }

  private static long mask(int... signals) {
    long mask = 0;
    for (int signal : signals) {
      mask |= 1L << (signal - 1);
    }
    return mask;
  }

  private static MemorySegment strings(Arena arena, List<String> strings) {
    MemorySegment array = arena.allocate(ValueLayout.ADDRESS, strings.size() + 1L);
    for (int i = 0; i < strings.size(); i++) {
      array.setAtIndex(ValueLayout.ADDRESS, i, arena.allocateFrom(strings.get(i)));
    }
    return array;
  }
}
