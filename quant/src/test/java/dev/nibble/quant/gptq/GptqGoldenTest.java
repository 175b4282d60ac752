package dev.nibble.quant.gptq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;
import static org.assertj.core.data.Percentage.withPercentage;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.safetensors.SafetensorsWriter;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.quant.CheckpointReaders;
import dev.nibble.quant.EachKernelSet;
import dev.nibble.quant.FrozenWeights;
import dev.nibble.quant.GroupedIntegers;
import dev.nibble.quant.HessianFactor;
import dev.nibble.quant.HessianFactor.Dead;
import dev.nibble.quant.HessianFactor.Order;
import dev.nibble.quant.SampleLayer;
import dev.nibble.quant.SecondMoments;
import dev.nibble.quant.StoredWeights;
import dev.nibble.quant.bnb.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Against the GPTQ authors' code on the CPU, and AutoGPTQ's packing. */
@Tag("golden")
final class GptqGoldenTest {
  /** For example {@code b4.g32.act.asym.static}. */
  private static final Pattern CASE =
      Pattern.compile("b(\\d)\\.g(-1|\\d+)\\.(act|seq)\\.(sym|asym)(\\.static)?(\\.block32)?");

  private static final String MODULE = "model.layers.0.self_attn.q_proj";

  @TempDir Path folder;

  private static JsonNode json(String name) throws IOException {
    return JsonMapper.shared().readTree(Files.readString(Golden.gptq(name)));
  }

  static List<String> cases() throws IOException {
    return List.copyOf(json("cases.json").propertyNames());
  }

  /** Numbers in float32 as theirs: all codes are equal, those of ties too. */
  @ParameterizedTest
  @MethodSource("cases")
  void codesAreTheAuthors(String name) throws IOException {
    Matcher m = CASE.matcher(name);
    assertThat(m.matches()).as(name).isTrue();
    boolean act = m.group(3).equals("act");
    try (SafetensorsFile layer = Safetensors.open(Golden.gptq("layer.safetensors"));
        SafetensorsFile golden = Safetensors.open(Golden.gptq("cases.safetensors"));
        Scope scope = Scope.open("test", Memory.host())) {
      Tensor in = layer.tensor("W");
      Tensor h = layer.tensor("H");
      HessianFactor factor =
          HessianFactor.of(
              "W",
              new SecondMoments(h, 256),
              0.01,
              Dead.IN_THE_MEAN,
              act ? Order.DESCENDING : Order.NATURAL);
      int cols = Math.toIntExact(in.dim(1));
      int group = m.group(2).equals("-1") ? cols : Integer.parseInt(m.group(2));
      Affine made =
          GroupedIntegers.allocate(
              scope,
              "W",
              in.dim(0),
              cols,
              Integer.parseInt(m.group(1)),
              group,
              DType.F32,
              act && m.group(5) == null);
      new GptqSolver(made, m.group(4).equals("sym"), m.group(6) == null ? 128 : 32)
          .solve(in, factor);

      Tensor codes = golden.tensor(name + ".codes");
      int different = 0;
      for (int i = 0; i < codes.elements(); i++) {
        different += made.code(i) == codes.getInt(i) ? 0 : 1;
      }
      assertThat(different).as("codes that differ").isZero();
      Tensor scales = golden.tensor(name + ".scales");
      Tensor zeros = golden.tensor(name + ".zeros");
      for (int g = 0; g < scales.elements(); g++) {
        assertThat(made.scales().get(g)).isCloseTo(scales.getFloat(g), near(scales.getFloat(g)));
        assertThat(made.zeros().get(g)).isEqualTo(zeros.getFloat(g));
      }
      Tensor index = golden.tensor(name + ".g_idx");
      for (int i = 0; i < cols; i++) {
        assertThat(made.group(i)).isEqualTo(index.getInt(i));
      }
      double trace = json("cases.json").get(name).get("trace").asDouble();
      assertThat(SampleLayer.trace(made, in, h)).isCloseTo(trace, withPercentage(0.01));
    }
  }

  private static Offset<Float> near(float value) {
    return offset(Math.abs(value) * 2e-5f);
  }

  static Stream<Arguments> packed() throws IOException {
    JsonNode all = json("packed.json");
    return all.propertyNames().stream()
        .flatMap(name -> Stream.of(Arguments.of(name, "v1"), Arguments.of(name, "v2")));
  }

  /** A folder with one linear layer, and a norm that is none. */
  private ShardedSafetensors checkpoint(SafetensorsFile golden, String name, String version)
      throws IOException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (String part : List.of("qweight", "scales", "g_idx")) {
      tensors.put(MODULE + "." + part, golden.tensor(name + ".v1." + part));
    }
    tensors.put(MODULE + ".qzeros", golden.tensor(name + "." + version + ".qzeros"));
    tensors.put("model.norm.weight", golden.tensor(name + ".v1.scales"));
    SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors, Map.of());
    JsonNode config = json("packed.json").get(name).get(version);
    Files.writeString(
        folder.resolve("config.json"),
        JsonMapper.shared()
            .writeValueAsString(
                JsonMapper.shared().createObjectNode().set("quantization_config", config)));
    return ShardedSafetensors.open(folder);
  }

  /** Both versions decode to the golden values in every set, and are written to the same bytes. */
  @ParameterizedTest
  @MethodSource("packed")
  void readsAndWritesWhatOthersWrote(String name, String version) throws IOException {
    try (SafetensorsFile golden = Safetensors.open(Golden.gptq("packed.safetensors"));
        ShardedSafetensors checkpoint = checkpoint(golden, name, version);
        Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      StoredWeights found = CheckpointReaders.find(checkpoint);
      GptqFormat format = (GptqFormat) found.format().orElseThrow();
      JsonNode config = json("packed.json").get(name).get(version);
      assertThat(format.bits()).isEqualTo(config.get("bits").asInt());
      assertThat(format.groupSize()).isEqualTo(config.get("group_size").asInt());
      assertThat(format.symmetric()).isEqualTo(config.get("sym").asBoolean());
      assertThat(format.actOrder()).isEqualTo(config.get("desc_act").asBoolean());
      assertThat(found.tensors(checkpoint.names()))
          .containsExactlyInAnyOrder("model.norm.weight", MODULE + ".weight");
      Affine loaded =
          (Affine)
              new FrozenWeights(checkpoint, Optional.empty(), kernels, scope)
                  .load(MODULE + ".weight");
      assertThat(loaded.index().isPresent()).isEqualTo(name.contains(".act."));
      assertThat(SampleLayer.decoded(loaded))
          .isEqualTo(golden.tensor(name + ".dequant").toFloats());
      Tensor out = scope.allocate("out", DType.F32, loaded.rows(), loaded.cols());
      kernels.products().decode(out, loaded);
      assertThat(out.toFloats()).isEqualTo(golden.tensor(name + ".dequant").toFloats());

      SequencedMap<String, Tensor> again =
          format.layout().tensors(MODULE + ".weight", loaded, DType.F16);
      assertThat(again.keySet()).isEqualTo(found.companions());
      again.forEach((tensor, made) -> {
        Tensor before = checkpoint.tensor(tensor);
        assertThat(made.shape()).as(tensor).isEqualTo(before.shape());
        assertThat(made.dtype()).as(tensor).isEqualTo(before.dtype());
        assertThat(made.memory().mismatch(before.memory())).as(tensor).isEqualTo(-1);
      });
    }
  }
}
