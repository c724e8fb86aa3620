package dev.fdfiber.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Method;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The calls behind the typed descriptors reach the kernel, and their errors come back. */
@FdTest
class TypedCallsTest {
  private static final int P_PIDFD = 3;
  private static final int WEXITED = 4;
  private static final Kernel KERNEL = Kernel.system();

  @Test
  void everyCall_onNoDescriptor_isEbadfAndNotEnosys() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(4096, 16);
      assertThat(KERNEL.timerfdSettime(-1, 0, memory)).isEqualTo(-Errno.EBADF);
      assertThat(KERNEL.timerfdGettime(-1, memory)).isEqualTo(-Errno.EBADF);
      assertThat(KERNEL.timerfdCreate(-1, 0)).isEqualTo(-Errno.EINVAL);
      assertThat(KERNEL.inotifyInit1(-1)).isEqualTo(-Errno.EINVAL);
      assertThat(KERNEL.inotifyAddWatch(-1, memory, 1)).isEqualTo(-Errno.EBADF);
      assertThat(KERNEL.inotifyRmWatch(-1, 1)).isEqualTo(-Errno.EBADF);
      assertThat(KERNEL.pidfdOpen(-1, 0)).isEqualTo(-Errno.EINVAL);
      assertThat(KERNEL.pidfdSendSignal(-1, 0)).isEqualTo(-Errno.EBADF);
      assertThat(KERNEL.kill(Integer.MAX_VALUE, 0)).isEqualTo(-Errno.ESRCH);
      assertThat(KERNEL.waitid(P_PIDFD, 0, memory, WEXITED)).isEqualTo(-Errno.EBADF);
      assertThat(KERNEL.ioctl(-1, 0, memory)).isEqualTo(-Errno.EBADF);
      assertThat(KERNEL.sendmsg(-1, memory, 0)).isEqualTo(-Errno.EBADF);
      assertThat(KERNEL.recvmsg(-1, memory, 0)).isEqualTo(-Errno.EBADF);
      assertThat(KERNEL.getpeername(-1, memory, memory)).isEqualTo(-Errno.EBADF);
    }
  }

  @Test
  void posixSpawnp_startsAProgramWithChosenDescriptors() {
    try (Fds.Pair pipe = Fds.blockingPipe();
        Arena arena = Arena.ofConfined()) {
      int pid =
          KERNEL.posixSpawnp(
              new SpawnRequest(
                  "sh",
                  List.of("sh", "-c", "echo $NAME in $PWD >&5; ls /proc/self/fd >&5"),
                  List.of("NAME=me", "PATH=" + System.getenv("PATH")),
                  List.of(
                      new SpawnRequest.Directory("/"),
                      new SpawnRequest.Open(0, "/dev/null", Linux.O_RDONLY),
                      new SpawnRequest.Duplicate(pipe.b(), 5),
                      new SpawnRequest.Close(4),
                      new SpawnRequest.CloseFrom(6)),
                  false));
      assertThat(pid).isPositive();
      int pidFd = KERNEL.pidfdOpen(pid, 0);
      assertThat(pidFd).isNotNegative();
      MemorySegment info = arena.allocate(128, 8);
      assertThat(KERNEL.waitid(P_PIDFD, pidFd, info, WEXITED)).isZero();
      Fds.close(pidFd);
      assertThat(Fds.read(pipe.a()).lines()).startsWith("me in /", "0", "1", "2").contains("5");
    }
  }

  @Test
  void posixSpawnp_ofNoProgram_isEnoent() {
    SpawnRequest none = new SpawnRequest("/no/program", List.of("it"), List.of(), List.of(), false);
    assertThat(KERNEL.posixSpawnp(none)).isEqualTo(-Errno.ENOENT);
  }

  @Test
  void kernelWithoutACall_answersEnosys() throws Exception {
    TypedCalls none = new TypedCalls() {};
    for (Method method : TypedCalls.class.getMethods()) {
      Object[] zeros = new Object[method.getParameterCount()];
      for (int i = 0; i < zeros.length; i++) {
        Class<?> type = method.getParameterTypes()[i];
        zeros[i] = type == int.class ? (Object) 0 : type == long.class ? (Object) 0L : null;
      }
      assertThat(((Number) method.invoke(none, zeros)).intValue()).isEqualTo(-Errno.ENOSYS);
    }
  }
}
