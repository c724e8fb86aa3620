/**
 * System calls: {@code Kernel}, one method for each call; {@code LinuxKernel}, which makes them;
 * {@code Errno}, the names of what goes wrong. Methods are called as their man pages are, and
 * return what the kernel returns: a result that is not negative, or minus errno. Beside them is
 * what calls take and give in native memory, such as {@code PollFds} and {@code SocketAddress}, and
 * what {@code /proc} tells, {@code OpenDescriptors}.
 *
 * <p>The only package that may use {@code dev.fdfiber.libc}, the generated bindings; it uses
 * nothing else of this library. Anyone may use it, and anyone may implement {@code Kernel}.
 *
 * <p>Read {@code Kernel} first.
 */
@NullMarked
package dev.fdfiber.kernel;

import org.jspecify.annotations.NullMarked;
