package dev.nibble.quant.awq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.safetensors.SafetensorsWriter;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.quant.CheckpointReaders;
import dev.nibble.quant.EachKernelSet;
import dev.nibble.quant.FrozenWeights;
import dev.nibble.quant.StoredWeights;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.bnb.Golden;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.json.JsonMapper;

/** Against a layer that AutoAWQ packed. */
@Tag("golden")
final class AwqGoldenTest {
  private static final String MODULE = "model.layers.0.mlp.up_proj";

  @TempDir Path folder;

  private static Map<String, Tensor> golden(SafetensorsFile file) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (String part : List.of("qweight", "qzeros", "scales")) {
      tensors.put(MODULE + "." + part, file.tensor(part));
    }
    return tensors;
  }

  private ShardedSafetensors write(Map<String, Tensor> tensors) throws IOException {
    SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors, Map.of());
    return ShardedSafetensors.open(folder);
  }

  @ParameterizedTest
  @MethodSource("dev.nibble.quant.EachKernelSet#names")
  void readsWhatAutoAwqWrote(String set) throws IOException {
    try (SafetensorsFile file = Safetensors.open(Golden.gptq("awq.safetensors"));
        ShardedSafetensors checkpoint = write(golden(file));
        Kernels kernels = EachKernelSet.open(set);
        Scope scope = Scope.open("test", kernels.memory())) {
      StoredWeights found = CheckpointReaders.find(checkpoint);
      assertThat(found.format()).contains(new AwqFormat(32));
      assertThat(found.shape(MODULE + ".weight")).contains(Shape.of(64, 128));
      assertThat(found.tensors(checkpoint.names())).containsExactly(MODULE + ".weight");
      Affine loaded =
          (Affine)
              new FrozenWeights(checkpoint, Optional.empty(), kernels, scope)
                  .load(MODULE + ".weight");
      assertThat(8.0 * loaded.bytes() / loaded.elements())
          .isEqualTo(new AwqFormat(32).bitsPerWeight());
      Tensor out = scope.allocate("out", DType.F32, 64, 128);
      kernels.products().decode(out, loaded);
      assertThat(TensorValues.of(kernels, out)).isEqualTo(file.tensor("dequant").toFloats());
    }
  }

  @Test
  void writesWhatAutoAwqWrote() throws IOException {
    try (SafetensorsFile file = Safetensors.open(Golden.gptq("awq.safetensors"));
        ShardedSafetensors checkpoint = write(golden(file));
        Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      Affine loaded =
          (Affine)
              new FrozenWeights(checkpoint, Optional.empty(), kernels, scope)
                  .load(MODULE + ".weight");
      for (int i = 0; i < loaded.elements(); i++) {
        assertThat(loaded.code(i)).isEqualTo(file.tensor("codes").getInt(i));
      }
      var layout = new AwqFormat(32).layout();
      var again = layout.tensors(MODULE + ".weight", loaded, DType.F16);
      assertThat(again.keySet()).containsExactlyInAnyOrderElementsOf(checkpoint.names());
      again.forEach((name, made) -> {
        assertThat(made.shape()).as(name).isEqualTo(checkpoint.tensor(name).shape());
        assertThat(made.dtype()).as(name).isEqualTo(checkpoint.tensor(name).dtype());
        assertThat(made.memory().mismatch(checkpoint.tensor(name).memory())).as(name).isEqualTo(-1);
      });
      assertThat(layout.config(DType.F16, List.of()))
          .isEqualTo(
              JsonMapper.shared()
                  .readTree(Files.readString(Golden.gptq("awq.json")))
                  .get("quantization_config"));
    }
  }

  interface Change {
    void in(Map<String, Tensor> tensors);
  }

  private static Tensor zeros(DType dtype, long... dims) {
    Shape shape = Shape.of(dims);
    byte[] bytes = new byte[Math.toIntExact(shape.elements() * dtype.bytes())];
    return Tensor.onHost("zeros", dtype, shape, MemorySegment.ofArray(bytes));
  }

  static Stream<Arguments> damages() {
    return Stream.of(
        damage(t -> t.remove(MODULE + ".scales"), "has no '" + MODULE + ".scales' beside it"),
        damage(t -> t.remove(MODULE + ".qzeros"), "has no '" + MODULE + ".qzeros' beside it"),
        damage(
            t -> t.put(MODULE + ".qweight", zeros(DType.I16, 128, 8)),
            ".qweight' is I16[128, 8], expected I32[inputs, outputs / 8]"),
        damage(
            t -> t.put(MODULE + ".scales", zeros(DType.F16, 5, 64)),
            ".scales' is F16[5, 64], expected F16[groups, 64], groups a divisor of 128"),
        damage(
            t -> t.put(MODULE + ".qzeros", zeros(DType.I32, 4, 9)),
            ".qzeros' is I32[4, 9], expected I32[4, 8]"),
        damage(
            t -> {
              t.put("b.qweight", zeros(DType.I32, 16, 1));
              t.put("b.qzeros", zeros(DType.I32, 1, 1));
              t.put("b.scales", zeros(DType.F16, 1, 8));
            },
            "'" + MODULE + "' is in groups of 32, but 'b' in groups of 16"));
  }

  private static Arguments damage(Change change, String message) {
    return Arguments.of(change, message);
  }

  @ParameterizedTest
  @MethodSource("damages")
  void saysWhatIsWrong(Change change, String message) throws IOException {
    try (SafetensorsFile file = Safetensors.open(Golden.gptq("awq.safetensors"))) {
      Map<String, Tensor> tensors = golden(file);
      change.in(tensors);
      try (ShardedSafetensors checkpoint = write(tensors)) {
        assertThatThrownBy(() -> CheckpointReaders.find(checkpoint))
            .isInstanceOf(UnusableWeight.class)
            .hasMessageContaining(folder.resolve("model.safetensors").toString())
            .hasMessageContaining(message);
      }
    }
  }

  @Test
  void isNotMadeHere() {
    try (Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      AwqFormat format = new AwqFormat(8);
      var matrix = format.allocator(kernels, scope).allocate("w", 8, 16);
      Tensor in = scope.allocate("q_proj.weight", DType.F32, 8, 16);
      assertThatThrownBy(() -> format.encode(kernels, matrix, in))
          .isInstanceOf(UnusableWeight.class)
          .hasMessageContaining("tensor 'q_proj.weight': AWQ is read and not made here");
    }
  }
}
