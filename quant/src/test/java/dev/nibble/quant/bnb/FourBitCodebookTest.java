package dev.nibble.quant.bnb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.kernels.DynamicMap;
import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.quant.bnb.FourBitFormat.QuantType;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

final class FourBitCodebookTest {

  private static String bits(float[] values) {
    return IntStream.range(0, values.length)
        .mapToObj(i -> "%08x".formatted(Float.floatToRawIntBits(values[i])))
        .collect(Collectors.joining(" "));
  }

  @Test
  void nf4HasTheBitsOfBitsandbytes() {
    assertThat(bits(FourBitCodebook.of(QuantType.NF4)))
        .isEqualTo(
            "bf800000 bf3239b1 bf066b30 beca32a0 be91a24d be3d353f bdba7871 00000000"
                + " 3da2faff 3e24cae3 3e7c04dd 3ead033a 3ee1a4b8 3f1007ab 3f3913b3 3f800000");
  }

  @Test
  void fp4HasTheBitsOfBitsandbytes() {
    assertThat(bits(FourBitCodebook.of(QuantType.FP4)))
        .isEqualTo(
            "00000000 3baaaaab 3f2aaaab 3f800000 3eaaaaab 3f000000 3e2aaaab 3e800000"
                + " 00000000 bbaaaaab bf2aaaab bf800000 beaaaaab bf000000 be2aaaab be800000");
  }

  @Test
  @Tag("golden")
  void checkpointsHoldTheseTables() {
    String module = "model.layers.0.mlp.down_proj.weight.";
    try (SafetensorsFile f = Safetensors.open(Golden.bnb("checkpoint/model.safetensors"))) {
      assertThat(bits(f.tensor(module + "quant_map").toFloats()))
          .isEqualTo(bits(FourBitCodebook.of(QuantType.NF4)));
      assertThat(bits(f.tensor(module + "nested_quant_map").toFloats()))
          .isEqualTo(bits(DynamicMap.SIGNED.codebook()));
    }
  }

  @Test
  void blockSizesAreThoseOfBitsandbytes() {
    for (int block : FourBitFormat.BLOCK_SIZES) {
      assertThat(new FourBitFormat(QuantType.NF4, block, true).blockSize()).isEqualTo(block);
    }
    for (int block : new int[] {0, 16, 63, 8192, -64}) {
      assertThatThrownBy(() -> new FourBitFormat(QuantType.NF4, block, true))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("block size %d is not one of [32, 64, 128".formatted(block));
    }
  }
}
