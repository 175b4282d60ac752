package dev.nibble.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.safetensors.SafetensorsWriter;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;

/**
 * One matrix in a calibrated format, in a checkpoint of its own: written, damaged, and read in
 * every kernel set.
 *
 * @param in its values, with the weight's name, on the host
 * @param folder of the checkpoint
 */
public record StoredFormat(CalibratedFormat format, Tensor in, Path folder) {

  /** Changes the tensors of a checkpoint. */
  public interface Change {
    void in(Map<String, Tensor> tensors);
  }

  /** Changes the values of a tensor. */
  public interface Damage {
    void in(Tensor t);
  }

  /** Values brought to the format, fitted to {@link SampleLayer#moments}. */
  public static FrozenMatrix encoded(
      CalibratedFormat format, Tensor in, Kernels kernels, Scope scope) {
    FrozenMatrix matrix =
        format.allocator(kernels, scope).allocate(in.name(), in.dim(0), in.dim(1));
    format.encode(kernels, matrix, in, SampleLayer.moments(Math.toIntExact(in.dim(1))));
    return matrix;
  }

  /** The tensors that a checkpoint has. */
  public Map<String, Tensor> tensors() {
    try (Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", Memory.host())) {
      Map<String, Tensor> copies = new LinkedHashMap<>();
      format
          .layout()
          .tensors(in.name(), encoded(format, in, kernels, scope), DType.BF16)
          .forEach((name, t) -> {
            Tensor copy = SampleLayer.tensor(name, t.dtype(), t.shape().dims());
            copy.memory().copyFrom(t.memory().asSlice(0, t.bytes()));
            copies.put(name, copy);
          });
      return copies;
    }
  }

  /** Writes a checkpoint and opens it. */
  public ShardedSafetensors write(Map<String, Tensor> tensors) throws IOException {
    SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors, Map.of());
    var config = JsonMapper.shared().createObjectNode();
    config.set("quantization_config", format.layout().config(DType.BF16, List.of()));
    Files.writeString(folder.resolve("config.json"), config.toString());
    return ShardedSafetensors.open(folder);
  }

  /** Asserts that encoding and loading give the same bits in a kernel set as on the host. */
  public void assertSameIn(String set) throws IOException {
    try (ShardedSafetensors checkpoint = write(tensors());
        Kernels near = EachKernelSet.host();
        Scope host = Scope.open("host", near.memory());
        Kernels kernels = EachKernelSet.open(set);
        Scope scope = Scope.open("run", kernels.memory())) {
      String weight = in.name();
      float[] expected =
          SampleLayer.decoded(
              new FrozenWeights(checkpoint, Optional.empty(), near, host).load(weight));
      Tensor out = scope.allocate("out", DType.F32, in.shape().dims());
      kernels
          .products()
          .decode(
              out, new FrozenWeights(checkpoint, Optional.empty(), kernels, scope).load(weight));
      assertThat(TensorValues.of(kernels, out)).isEqualTo(expected);

      Tensor there = scope.allocate(weight, in.dtype(), in.shape().dims());
      Tensor values = host.allocate(weight, in.dtype(), in.shape().dims());
      near.moving().copy(values, in);
      kernels.moving().copy(there, values);
      kernels.products().decode(out, encoded(format, there, kernels, scope));
      assertThat(TensorValues.of(kernels, out)).isEqualTo(expected);
    }
  }

  /** Asserts that a checkpoint with other tensors is refused when it is opened. */
  public void assertRefused(Change change, String message) throws IOException {
    Map<String, Tensor> tensors = tensors();
    change.in(tensors);
    try (ShardedSafetensors checkpoint = write(tensors)) {
      assertThatThrownBy(() -> CheckpointReaders.find(checkpoint))
          .isInstanceOf(UnusableWeight.class)
          .hasMessageContaining(folder.resolve("model.safetensors").toString())
          .hasMessageContaining(message);
    }
  }

  /**
   * Asserts that a weight whose tensor has other values is refused when it is loaded.
   *
   * @param tensor its whole name
   */
  public void assertNotLoaded(String tensor, Damage damage, String message) throws IOException {
    Map<String, Tensor> tensors = tensors();
    damage.in(Objects.requireNonNull(tensors.get(tensor), tensor));
    try (ShardedSafetensors checkpoint = write(tensors);
        Kernels kernels = EachKernelSet.host();
        Scope scope = Scope.open("test", kernels.memory())) {
      FrozenWeights weights = new FrozenWeights(checkpoint, Optional.empty(), kernels, scope);
      assertThatThrownBy(() -> weights.load(in.name()))
          .isInstanceOf(UnusableWeight.class)
          .hasMessageContaining(folder.resolve("model.safetensors").toString())
          .hasMessageContaining(tensor)
          .hasMessageContaining(message);
    }
  }
}
