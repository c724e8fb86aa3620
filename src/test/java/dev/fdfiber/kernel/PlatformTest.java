package dev.fdfiber.kernel;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.testing.FdTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@FdTest
class PlatformTest {
  @Test
  void thisMachine_isSupported() {
    assertThatCode(Platform::check).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({"Linux,amd64", "Linux,x86_64", "Linux,aarch64"})
  void supported_passes(String os, String arch) {
    assertThatCode(() -> Platform.check(os, arch)).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({
    "Linux,riscv64",
    "Linux,arm",
    "Linux,x86",
    "Mac OS X,aarch64",
    "Windows 11,amd64",
    "FreeBSD,amd64",
    "'',''"
  })
  void unsupported_saysWhatWasFoundAndWhatIsSupported(String os, String arch) {
    assertThatThrownBy(() -> Platform.check(os, arch))
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessageContaining("Linux on x86-64 or aarch64")
        .hasMessageContaining(os + " on " + arch);
  }
}
