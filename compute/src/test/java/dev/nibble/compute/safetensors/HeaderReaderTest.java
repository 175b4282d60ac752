package dev.nibble.compute.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Every way to be wrong has its own text, which names the file and, where there is one, the tensor.
 */
final class HeaderReaderTest {
  private static final Path FILE = Path.of("some.safetensors");

  private static Header read(byte[] bytes) {
    return HeaderReader.read(FILE, MemorySegment.ofArray(bytes));
  }

  @Test
  void readsTensorsAndMetadata() {
    Header h =
        read(
            HandmadeFiles.bytes(
                "{'__metadata__':{'format':'pt'},'b':{'dtype':'F32','shape':[2,1],'data_offsets':[4,12]},"
                        .replace('\'', '"')
                    + "'a':{'shape':[],'extra':[{}],'data_offsets':[0,4],'dtype':'I32'},'z':{'dtype':'U8','shape':[0,7],'data_offsets':[4,4]}}  "
                        .replace('\'', '"'),
                12));
    assertThat(h.metadata()).containsEntry("format", "pt").hasSize(1);
    assertThat(h.entries().keySet()).containsExactly("b", "a", "z");
    assertThat(h.entries().get("a")).isEqualTo(new Header.Entry("a", DType.I32, Shape.of(), 0, 4));
    assertThat(h.entries().get("b"))
        .isEqualTo(new Header.Entry("b", DType.F32, Shape.of(2, 1), 4, 12));
  }

  @Test
  void aFileOfNoTensorsIsValid() {
    assertThat(read(HandmadeFiles.bytes("{}", 0)).entries()).isEmpty();
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "[]                                                                 | does not begin with '{'",
        "` {}`                                                              | does not begin with '{'",
        "{                                                                  | not JSON",
        "{'a':}                                                             | not JSON",
        "{} x                                                               | not JSON",
        "{} {}                                                              | something after the JSON object",
        "{'a':3}                                                            | tensor 'a' is a number in the header, not an object",
        "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1]},'a':{'dtype':'U8','shape':[1],'data_offsets':[1,2]}} | tensor 'a' appears twice",
        "{'a':{'shape':[1],'data_offsets':[0,1]}}                           | tensor 'a' lacks dtype",
        "{'a':{'dtype':'U8','data_offsets':[0,1]}}                          | tensor 'a' lacks shape",
        "{'a':{'dtype':'U8','shape':[1]}}                                   | tensor 'a' lacks data_offsets",
        "{'a':{'dtype':'U8','dtype':'U8','shape':[1],'data_offsets':[0,1]}} | tensor 'a' has dtype twice",
        "{'a':{'dtype':1,'shape':[1],'data_offsets':[0,1]}}                 | tensor 'a' has a dtype that is a number, not a string",
        "{'a':{'dtype':'F8_E4M3','shape':[1],'data_offsets':[0,1]}}         | tensor 'a' has dtype F8_E4M3, which Nibble does not read",
        "{'a':{'dtype':'U8','shape':1,'data_offsets':[0,1]}}                | tensor 'a' has shape that is a number, not an array",
        "{'a':{'dtype':'U8','shape':['1'],'data_offsets':[0,1]}}            | tensor 'a' has shape with a string",
        "{'a':{'dtype':'U8','shape':[1.0],'data_offsets':[0,1]}}            | tensor 'a' has shape with a number with a fraction",
        "{'a':{'dtype':'U8','shape':[-1],'data_offsets':[0,1]}}             | tensor 'a' has shape with the negative number -1",
        "{'a':{'dtype':'U8','shape':[9223372036854775808],'data_offsets':[0,1]}} | tensor 'a' has shape with 9223372036854775808, beyond 2^63-1",
        "{'a':{'dtype':'U8','shape':[4294967296,4294967296],'data_offsets':[0,1]}} | tensor 'a' has a shape of more than 2^63-1 bytes",
        "{'a':{'dtype':'F64','shape':[2305843009213693952],'data_offsets':[0,1]}}  | tensor 'a' has a shape of more than 2^63-1 bytes",
        "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0]}}                | tensor 'a' has 1 data_offsets, not 2",
        "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1,2]}}            | tensor 'a' has 3 data_offsets, not 2",
        "{'a':{'dtype':'U8','shape':[1],'data_offsets':[2,1]}}              | tensor 'a' has data_offsets that end at 1 before they begin at 2",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,2]}}             | tensor 'a' has data_offsets [0, 2] of 2 bytes, but F32[1] takes 4",
        "{'a':{'dtype':'U8','shape':[3],'data_offsets':[0,3]}}              | tensor 'a' ends at byte 3 of the data, but the file has only 2",
        "{'a':{'dtype':'U8','shape':[9000000000000],'data_offsets':[0,9000000000000]}} | tensor 'a' ends at byte 9000000000000",
        "{'a':{'dtype':'U8','shape':[2],'data_offsets':[0,2]},'b':{'dtype':'U8','shape':[1],'data_offsets':[1,2]}} | tensor 'b' begins at byte 1, inside tensor 'a', which ends at 2",
        "{'b':{'dtype':'U8','shape':[1],'data_offsets':[1,2]}}              | tensor 'b' begins at byte 1, but the header ends at 0: no gap",
        "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1]}}              | has 2 bytes of data, but its last tensor ends at 1",
        "{'__metadata__':[]}                                                | has __metadata__ that is an array, not an object",
        "{'__metadata__':{'k':1}}                                           | has __metadata__ with 'k' that is a number; it may hold only strings",
        "{'__metadata__':{'k':'1','k':'2'}}                                 | has __metadata__ with 'k' twice",
        "{'__metadata__':{},'__metadata__':{}}                              | has __metadata__ twice",
      })
  void namesWhatIsWrong(String header, String message) {
    assertThatThrownBy(() -> read(HandmadeFiles.bytes(header.replace('\'', '"'), 2)))
        .isInstanceOf(MalformedSafetensors.class)
        .hasMessageContaining("some.safetensors")
        .hasMessageContaining(message);
  }

  @Test
  void tooShortForALength() {
    assertThatThrownBy(() -> read(new byte[7]))
        .isInstanceOf(MalformedSafetensors.class)
        .hasMessageContaining("some.safetensors has 7 bytes");
  }

  @Test
  void headerBeyondTheFile() {
    assertThatThrownBy(
            () -> read(HandmadeFiles.bytes(11, "{}".getBytes(StandardCharsets.UTF_8), 8)))
        .isInstanceOf(MalformedSafetensors.class)
        .hasMessageContaining("its header has 11 bytes, but only 10 follow");
    assertThatThrownBy(() -> read(HandmadeFiles.bytes(-1, new byte[2], 0)))
        .isInstanceOf(MalformedSafetensors.class)
        .hasMessageContaining("its header has 18446744073709551615 bytes");
  }

  @Test
  void headerBeyondTheFormatsLimit() {
    byte[] bytes = HandmadeFiles.bytes(100_000_001L, new byte[100_000_001], 0);
    assertThatThrownBy(() -> read(bytes))
        .isInstanceOf(MalformedSafetensors.class)
        .hasMessageContaining("a header of 100000001 bytes; at most 100000000 are allowed");
  }

  @Test
  void headerThatIsNoText() {
    assertThatThrownBy(
            () -> read(HandmadeFiles.bytes(4, new byte[] {'{', '"', (byte) 0xc3, '"'}, 0)))
        .isInstanceOf(MalformedSafetensors.class)
        .hasMessageContaining("not UTF-8");
  }
}
