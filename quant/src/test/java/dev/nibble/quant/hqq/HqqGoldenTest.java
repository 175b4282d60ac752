package dev.nibble.quant.hqq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Percentage.withPercentage;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.Groups.Axis;
import dev.nibble.quant.CheckpointReaders;
import dev.nibble.quant.EachKernelSet;
import dev.nibble.quant.FrozenWeights;
import dev.nibble.quant.bnb.Golden;
import dev.nibble.quant.hqq.HqqFormat.Metadata;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Against the hqq library on the CPU: codes, numbers of groups, packed bytes and checkpoints. */
@Tag("golden")
final class HqqGoldenTest {
  /** For example {@code t64x256.b2.g16.a0.opt.nsz}. */
  private static final Pattern CASE =
      Pattern.compile("(\\w+)\\.b(\\d)\\.g(\\d+)\\.a([01])\\.(opt|raw)(\\.\\w+)?");

  private static JsonNode cases() throws IOException {
    return JsonMapper.shared().readTree(Files.readString(Golden.hqq("cases.json")));
  }

  /**
   * The library's own settings, and those with scales and zero points in 8 bits. Not what {@link
   * HqqFormat} does not offer: a base in 16 bits, in which the library then computes, one of the
   * two kinds of numbers quantised alone, zero points of 4 bits that are not rounded, and the
   * solver of 100 iterations.
   */
  static List<String> names() throws IOException {
    return cases().propertyNames().stream()
        .filter(name -> {
          Matcher m = CASE.matcher(name);
          assertThat(m.matches()).as(name).isTrue();
          return m.group(6) == null || m.group(6).equals(".nsz");
        })
        .toList();
  }

  private static HqqFormat format(Matcher m) {
    return new HqqFormat(
        Integer.parseInt(m.group(2)),
        Integer.parseInt(m.group(3)),
        m.group(4).equals("1") ? Axis.INPUTS : Axis.OUTPUTS,
        m.group(5).equals("opt"),
        ".nsz".equals(m.group(6)) ? Metadata.QUANTIZED : Metadata.F32);
  }

  /**
   * Codes differ where a value lies within float32's rounding of the middle between two: the mean
   * of a group is summed in another order, which moves its zero point by an ulp or two.
   */
  @ParameterizedTest
  @MethodSource("names")
  void codesAreTheLibrarys(String name) throws IOException {
    Matcher m = CASE.matcher(name);
    assertThat(m.matches()).as(name).isTrue();
    try (SafetensorsFile weights = Safetensors.open(Golden.hqq("weights.safetensors"));
        SafetensorsFile golden = Safetensors.open(Golden.hqq("cases.safetensors"));
        Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", Memory.host())) {
      HqqFormat format = format(m);
      Tensor in = weights.tensor(m.group(1));
      Affine made = (Affine) format.allocator(kernels, scope).allocate("w", in.dim(0), in.dim(1));
      format.encode(kernels, made, in);

      JsonNode expected = cases().get(name);
      assertThat(relativeError(made, in))
          .isCloseTo(expected.get("rel_frobenius").asDouble(), withPercentage(0.1));
      long sum = 0;
      for (int i = 0; i < made.elements(); i++) {
        sum += made.code(i);
      }
      assertThat((double) sum).isCloseTo(expected.get("code_sum").asDouble(), withPercentage(0.05));
      assertThat(format.bitsPerWeight() - made.bytes() * 8.0 / made.elements())
          .as("bits by the formula and in memory")
          .isBetween(-0.5, 0.5);
      if (golden.has(name + ".packed")) {
        HqqPacking packing = HqqPacking.of(format.bits(), made.groups(), made.elements());
        compare(made, packing, golden.tensor(name + ".packed"), scope);
      }
    }
  }

  /** Codes are equal but for ties; packed again they have the library's bytes. */
  private static void compare(Affine made, HqqPacking packing, Tensor packed, Scope scope) {
    byte[] theirs = packing.unpack(packed);
    int same = 0;
    for (int i = 0; i < theirs.length; i++) {
      same += made.code(i) == (theirs[i] & 0xff) ? 1 : 0;
    }
    assertThat((double) same / theirs.length).as("equal codes").isGreaterThanOrEqualTo(0.998);
    made.putCodes(theirs);
    Tensor again = scope.allocate("packed", packed.dtype(), packing.shape().dims());
    packing.pack(made, again);
    assertThat(again.shape()).isEqualTo(packed.shape());
    assertThat(again.toInts()).isEqualTo(packed.toInts());
  }

  private static float[] decoded(FrozenMatrix matrix) {
    float[] values = new float[Math.toIntExact(matrix.elements())];
    matrix.decode(0, values.length, MemorySegment.ofArray(values));
    return values;
  }

  private static double relativeError(FrozenMatrix made, Tensor in) {
    float[] back = decoded(made);
    double error = 0;
    double all = 0;
    for (int i = 0; i < back.length; i++) {
      error += Math.pow(back[i] - in.getDouble(i), 2);
      all += Math.pow(in.getDouble(i), 2);
    }
    return Math.sqrt(error / all);
  }

  /**
   * What transformers saved decodes to the library's values: exactly where it computed in float32,
   * within two roundings of float16 where it computed in that.
   */
  @ParameterizedTest
  @ValueSource(strings = {"checkpoint_4bit", "checkpoint_mixed"})
  void checkpointsOfTransformers(String name) {
    boolean half = name.endsWith("mixed");
    try (ShardedSafetensors checkpoint = ShardedSafetensors.open(Golden.hqq(name));
        SafetensorsFile golden = Safetensors.open(Golden.hqq(name + "_golden.safetensors"));
        Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      FrozenWeights weights = new FrozenWeights(checkpoint, Optional.empty(), kernels, scope);
      for (String key : golden.names()) {
        if (!key.startsWith("dequant.")) {
          continue;
        }
        String weight = key.substring("dequant.".length());
        float[] ours = decoded(weights.load(weight));
        float[] theirs = golden.tensor(key).toFloats();
        float largest = 0;
        for (float x : theirs) {
          largest = Math.max(largest, Math.abs(x));
        }
        for (int i = 0; i < ours.length; i++) {
          float allowed = half ? largest * 0x1p-9f : 0;
          assertThat(Math.abs(ours[i] - theirs[i]))
              .as("%s [%d] %s %s", weight, i, ours[i], theirs[i])
              .isLessThanOrEqualTo(allowed);
        }
      }
    }
  }

  /** Written again, every tensor of a weight has the bytes that transformers wrote. */
  @ParameterizedTest
  @ValueSource(strings = {"checkpoint_4bit", "checkpoint_mixed"})
  void writesWhatTransformersWrote(String name) {
    try (ShardedSafetensors checkpoint = ShardedSafetensors.open(Golden.hqq(name));
        Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      var stored = CheckpointReaders.find(checkpoint);
      var layout = stored.format().orElseThrow().layout();
      var loader = stored.loader(kernels, scope);
      List<String> all =
          stored.tensors(checkpoint.names()).stream()
              .filter(w -> stored.shape(w).isPresent())
              .toList();
      assertThat(all).hasSize(7);
      for (String weight : all) {
        FrozenMatrix matrix = loader.load(weight);
        SequencedMap<String, Tensor> again =
            layout.tensors(weight, matrix, checkpoint.tensor("lm_head.weight").dtype());
        again.forEach((tensor, made) -> {
          // The library can keep codes as numbers: the same bytes under another dtype.
          boolean renamed = weight.contains("up_proj") && name.endsWith("mixed");
          if (renamed && tensor.endsWith(".view_as_float")) {
            return;
          }
          Tensor before = checkpoint.tensor(tensor);
          assertThat(made.memory().mismatch(before.memory())).as(tensor).isEqualTo(-1);
          if (!(renamed && tensor.endsWith(".W_q"))) {
            assertThat(made.shape()).as(tensor).isEqualTo(before.shape());
            assertThat(made.dtype()).as(tensor).isEqualTo(before.dtype());
          }
        });
        assertThat(again.size()).isEqualTo(HqqLayout.parts().count());
      }
    }
  }
}
