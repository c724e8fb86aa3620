package dev.fdfiber.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.fdfiber.testing.FdTest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@FdTest
class OptionsTest {

  @Test
  void parse_nothing_isTheDefault() {
    assertThat(Options.parse(List.of())).isEqualTo(Options.defaults());
  }

  @Test
  void parse_everything_isKept() {
    String words =
        "--port 0 --host ::1 --upstream [::1]:81 --files /tmp --idle-seconds 1.5"
            + " --head-seconds 2 --body-bytes 9 --workers 4 --grace-seconds 0.5"
            + " --tls-key k.pem --tls-cert c.pem"
            + " --inspect-port 7070 --inspect-token 0123456789abcdef";

    Options options = Options.parse(List.of(words.split(" ", -1)));

    assertThat(options.port()).isZero();
    assertThat(options.host()).isEqualTo("::1");
    assertThat(options.upstream()).contains(new Options.Upstream("::1", 81));
    assertThat(options.workers()).isEqualTo(4);
    assertThat(options.grace()).isEqualTo(Duration.ofMillis(500));
    assertThat(options.tls()).contains(new Options.Tls(Path.of("c.pem"), Path.of("k.pem")));
    assertThat(options.files()).contains(Path.of("/tmp"));
    assertThat(options.inspect())
        .isEqualTo(new Options.Inspect(7070, Optional.of("0123456789abcdef")));
    assertThat(options.limits().idle()).isEqualTo(Duration.ofMillis(1500));
    assertThat(options.limits().head()).isEqualTo(Duration.ofSeconds(2));
    assertThat(options.limits().bodyBytes()).isEqualTo(9);
  }

  @ParameterizedTest
  @CsvSource({
    "--port bad, '--port: bad will not do; give a number from 0 to 65535'",
    "--port 65536, '--port: 65536 will not do; give a number from 0 to 65535'",
    "--port, '--port: needs a value'",
    "--bogus, '--bogus: is no option; see --help'",
    "--bogus 5, '--bogus: is no option; see --help'",
    "--upstream here, '--upstream: here is no HOST:PORT'",
    "--upstream here:0, '--upstream: 0 will not do; give a number from 1 to 65535'",
    "--tls-cert a, '--tls-cert: needs the other of the two as well'",
    "--tls-key a, '--tls-key: needs the other of the two as well'",
    "--workers 0, '--workers: 0 will not do; give a number from 1 to 1024'",
    "--inspect-token a, '--inspect-token: a token has at least 16 letters, digits, - and _'",
    "--idle-seconds 0, '--idle-seconds: 0 is no time; give seconds, more than 0'",
    "--head-seconds NaN, '--head-seconds: NaN is no time; give seconds, more than 0'",
  })
  void parse_wrongWord_saysWhichAndWhatInstead(String words, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Options.parse(List.of(words.split(" ", -1))))
        .withMessage(message);
  }
}
