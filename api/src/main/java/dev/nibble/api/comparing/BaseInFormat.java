package dev.nibble.api.comparing;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Dense;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.FrozenWeights;
import dev.nibble.quant.NonFinite;
import dev.nibble.quant.WeightFormat;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.build.ModelLoader;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;

/**
 * The linear maps of a base model in a weight format, made once for the models that are built over
 * them. Without a format, on the host, they stay where the mapped checkpoint has them.
 */
final class BaseInFormat {
  private final Path folder;
  private final ShardedSafetensors source;
  private final Kernels kernels;
  private final WeightError error = new WeightError();
  private final Optional<MeasuredFormat> format;
  private final Optional<FittedBase> fitted;
  private final FrozenWeights weights;
  private final boolean mapped;
  private final Map<String, FrozenMatrix> matrices = new HashMap<>();
  private long elements;
  private long bytes;
  private long storedBytes;

  private BaseInFormat(
      Path folder,
      ShardedSafetensors source,
      Optional<WeightFormat> format,
      Optional<FittedBase> fitted,
      Kernels kernels,
      Scope scope) {
    this.folder = folder;
    this.source = source;
    this.kernels = kernels;
    this.format = format.map(f -> new MeasuredFormat(f, error));
    this.fitted = fitted;
    this.weights =
        fitted.isPresent()
            ? new FrozenWeights(fitted.get().tensors(), Optional.empty(), kernels, scope)
            : new FrozenWeights(source, this.format.map(f -> f), kernels, scope);
    this.mapped = format.isEmpty() && isHost(kernels.memory().device());
  }

  private static boolean isHost(Device device) {
    return device instanceof Device.Host || device instanceof Device.Planned(Device.Host _);
  }

  /**
   * Brings the linear maps inside the blocks to a format.
   *
   * @param source of the folder, not quantised; must stay open as long as the models are used
   * @param fitted the same base in this format already, where the format is a calibrated one
   * @param scope owns the matrices; must be of the kernels' memory
   * @param progress hears how many bytes of the weights are done, and how many there are
   * @throws dev.nibble.quant.UnusableWeight when the format cannot hold one of them
   */
  static BaseInFormat make(
      Path folder,
      ShardedSafetensors source,
      Optional<WeightFormat> format,
      Optional<FittedBase> fitted,
      Kernels kernels,
      Scope scope,
      BiConsumer<Long, Long> progress) {
    BaseInFormat base = new BaseInFormat(folder, source, format, fitted, kernels, scope);
    List<String> names = ModelLoader.linearWeights(folder, source);
    long all = names.stream().mapToLong(name -> source.tensor(name).bytes()).sum();
    for (String name : names) {
      long stored = source.tensor(name).bytes();
      FrozenMatrix made = base.matrix(name);
      base.elements += made.elements();
      base.bytes += made.bytes();
      base.storedBytes += stored;
      progress.accept(base.storedBytes, all);
    }
    return base;
  }

  private FrozenMatrix matrix(String name) {
    return matrices.computeIfAbsent(name, this::read);
  }

  private FrozenMatrix read(String name) {
    if (!mapped) {
      FrozenMatrix made = weights.load(name);
      boolean head = made instanceof Dense; // of its own, as it was
      if (fitted.isPresent() && !head && !kernels.memory().isPlanned()) {
        error.add(kernels, source.tensor(name), made);
      }
      return made;
    }
    Tensor stored = source.tensor(name);
    NonFinite.refuse(stored, source.placeOf(name), kernels);
    return new Dense(stored);
  }

  /**
   * A model over the matrices, which are its own neither to change nor to free.
   *
   * @param scope owns the rest
   */
  CausalLm model(ModelOptions options, Scope scope) {
    return ModelLoader.over(folder, source, this::matrix, options, kernels, scope);
  }

  /** Bits of a weight inside the blocks, with what belongs to it. */
  double bits() {
    return (double) Byte.SIZE * bytes / elements;
  }

  /** Bytes of the linear maps inside the blocks. */
  long bytes() {
    return bytes;
  }

  /** Bytes of all weights, those outside as the checkpoint stores them. */
  long modelBytes() {
    long all = source.names().stream().mapToLong(name -> source.tensor(name).bytes()).sum();
    return all - storedBytes + bytes;
  }

  /** Seconds that encoding took, or calibrating and fitting. */
  double seconds() {
    return fitted
        .map(FittedBase::seconds)
        .orElseGet(() -> format.map(MeasuredFormat::seconds).orElse(0.0));
  }

  /** The norm of all errors, relative to that of the weights. */
  double weightError() {
    return error.relative();
  }
}
