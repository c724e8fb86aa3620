package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.testing.FdTest;
import java.io.IOException;
import org.junit.jupiter.api.Test;

@FdTest
class ErrnoExceptionTest {
  @Test
  void withDescriptor_tellsCallDescriptorNameAndText() {
    ErrnoException e = new ErrnoException("read", 7, Errno.EBADF);
    assertThat(e).isInstanceOf(IOException.class);
    assertThat(e).hasMessage("read(fd 7): EBADF (Bad file descriptor)");
    assertThat(e.errno()).isEqualTo(9);
    assertThat(e.name()).isEqualTo("EBADF");
  }

  @Test
  void withoutDescriptor_tellsCallNameAndText() {
    ErrnoException e = new ErrnoException("socket", Errno.EMFILE);
    assertThat(e).hasMessage("socket: EMFILE (Too many open files)");
    assertThat(e.errno()).isEqualTo(24);
    assertThat(e.name()).isEqualTo("EMFILE");
  }

  @Test
  void unknownNumber_isStillTold() {
    ErrnoException e = new ErrnoException("ioctl", 3, 4095);
    assertThat(e.errno()).isEqualTo(4095);
    assertThat(e.name()).contains("4095");
    assertThat(e).hasMessageContaining("4095");
  }
}
