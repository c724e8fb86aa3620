package dev.fdfiber.fd;

/** Who is at the other end, as the kernel has it, {@code struct ucred}, unix(7). */
public record Credentials(int pid, int uid, int gid) {}
