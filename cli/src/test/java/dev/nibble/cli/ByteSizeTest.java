package dev.nibble.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class ByteSizeTest {

  @ParameterizedTest
  @CsvSource({
    "5000000000, 5000000000",
    "16B, 16",
    "5GB, 5000000000",
    "5 gb, 5000000000",
    "512MiB, 536870912",
    "2kb, 2000",
    "7b, 7"
  })
  void reads(String text, long bytes) {
    assertThat(ByteSize.parse(text).bytes()).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "GB", "-1GB", "1.5GB", "5XB", "0", "16", "999999999999TB"})
  void refuses(String text) {
    assertThatThrownBy(() -> ByteSize.parse(text)).isInstanceOf(TypeConversionException.class);
  }
}
