package dev.nibble.trainer.export;

import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.SafetensorsWriter;
import dev.nibble.compute.safetensors.ShardPlan;
import dev.nibble.compute.safetensors.ShardPlan.Shard;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.safetensors.TensorInfo;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Dense;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.CheckpointLayout;
import dev.nibble.quant.CheckpointReaders;
import dev.nibble.quant.FrozenWeights;
import dev.nibble.quant.NonFinite;
import dev.nibble.quant.StoredWeights;
import dev.nibble.quant.WeightFormat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;

/**
 * A checkpoint to write of a model whose linear maps are brought to a weight format. One tensor at
 * a time is in memory.
 */
public final class QuantizedCheckpoint {
  private final ShardedSafetensors source;
  private final Set<String> quantized;
  private final CheckpointLayout layout;
  private final QuantizedTensors values;
  private final Kernels kernels;

  /**
   * A checkpoint to write.
   *
   * @param source not quantised; stays the caller's, and open
   * @param quantized names of the weights that are quantised; every other tensor is copied as it is
   * @param layout of their tensors
   * @param values gives them
   */
  public QuantizedCheckpoint(
      ShardedSafetensors source,
      Set<String> quantized,
      CheckpointLayout layout,
      QuantizedTensors values,
      Kernels kernels) {
    this.source = source;
    this.quantized = Set.copyOf(quantized);
    this.layout = layout;
    this.values = values;
    this.kernels = kernels;
  }

  /** A producer of the tensors of quantised weights. */
  public interface QuantizedTensors {

    /** Gives the tensors of a weight, on the host, which live until {@code use} returns. */
    void give(String weight, Use use) throws IOException;

    /** A receiver of a weight's tensors, by name. */
    interface Use {
      void of(Map<String, Tensor> tensors) throws IOException;
    }
  }

  /** Weights of {@code source} that are rounded to a format one at a time. */
  public static QuantizedTensors rounding(
      ShardedSafetensors source, WeightFormat format, Kernels kernels) {
    StoredWeights dense = CheckpointReaders.find(source);
    return (name, use) -> {
      try (Scope one = Scope.open("quantize", kernels.memory());
          HostCopies host = new HostCopies(kernels)) {
        FrozenWeights weights = new FrozenWeights(source, dense, Optional.of(format), kernels, one);
        FrozenMatrix made = weights.load(name);
        if (made instanceof Dense) {
          throw new IllegalArgumentException(name + " is kept as it is");
        }
        Tensor before = source.tensor(name);
        use.of(format.layout().tensors(name, made.over(host::of), before.dtype()));
      }
    };
  }

  /**
   * What was written.
   *
   * @param files how many safetensors files
   * @param bytes of tensors
   */
  public record Result(int files, long bytes) {}

  /**
   * Writes the safetensors files and their index.
   *
   * @param folder exists, and is the caller's to put in place or to delete
   * @param maxShardBytes the most bytes of tensors in one file
   * @param progress takes the weights done and the weights in all, after each tensor
   * @throws IOException when writing fails
   */
  public Result write(Path folder, long maxShardBytes, BiConsumer<Long, Long> progress)
      throws IOException {
    long weights = source.names().stream().mapToLong(name -> source.tensor(name).elements()).sum();
    boolean twice = quantized.stream().anyMatch(name -> sizes(name).isEmpty());
    Progress done = new Progress(progress, twice ? 2 * weights : weights);
    Map<String, String> origin = new HashMap<>();
    List<TensorInfo> tensors = new ArrayList<>();
    for (String name : source.names()) {
      List<TensorInfo> parts =
          quantized.contains(name)
              ? measure(name)
              : List.of(TensorInfo.of(name, source.tensor(name)));
      parts.forEach(part -> origin.put(part.name(), name));
      tensors.addAll(parts);
      done.add(twice ? source.tensor(name).elements() : 0);
    }
    ShardPlan plan = ShardPlan.of(tensors, maxShardBytes);
    Set<String> written = new HashSet<>();
    for (Shard shard : plan.shards()) {
      SafetensorsWriter.write(
          folder.resolve(shard.file()),
          shard.tensors(),
          Map.of("format", "pt"),
          sink -> fill(sink, shard, origin, written, done));
    }
    plan.writeIndex(folder, weights);
    return new Result(plan.shards().size(), plan.totalBytes());
  }

  /** Puts what belongs into this file; a weight's scales may have come into the next one. */
  private void fill(
      SafetensorsWriter.Sink sink,
      Shard shard,
      Map<String, String> origin,
      Set<String> written,
      Progress done)
      throws IOException {
    Set<String> here = new LinkedHashSet<>();
    Set<String> names = new LinkedHashSet<>();
    for (TensorInfo tensor : shard.tensors()) {
      here.add(tensor.name());
      names.add(origin.getOrDefault(tensor.name(), tensor.name()));
    }
    for (String name : names) {
      if (quantized.contains(name)) {
        values.give(
            name,
            tensors -> {
              for (Map.Entry<String, Tensor> e : tensors.entrySet()) {
                if (here.contains(e.getKey())) {
                  sink.put(e.getKey(), e.getValue());
                }
              }
            });
      } else {
        Tensor kept = source.tensor(name);
        if (kept.dtype().isFloating()) {
          NonFinite.refuse(kept, source.placeOf(name), kernels);
        }
        sink.put(name, kept);
        source.unload(name);
      }
      done.add(written.add(name) ? source.tensor(name).elements() : 0);
    }
  }

  /**
   * The tensors of a weight, which the header of a file needs before any value. Where their sizes
   * depend on values, the weight is quantised now, and again when it is written.
   */
  private List<TensorInfo> measure(String name) throws IOException {
    Optional<List<TensorInfo>> known = sizes(name);
    if (known.isPresent()) {
      return known.get();
    }
    List<TensorInfo> made = new ArrayList<>();
    values.give(name, tensors -> tensors.forEach((n, t) -> made.add(TensorInfo.of(n, t))));
    return made;
  }

  private Optional<List<TensorInfo>> sizes(String name) {
    Tensor weight = source.tensor(name);
    return layout.tensors(name, weight.shape(), weight.dtype());
  }

  /** Weights done, of all passes. */
  private static final class Progress {
    private final BiConsumer<Long, Long> listener;
    private final long total;
    private long done;

    Progress(BiConsumer<Long, Long> listener, long total) {
      this.listener = listener;
      this.total = total;
    }

    void add(long weights) {
      done += weights;
      if (weights > 0) {
        listener.accept(done, total);
      }
    }
  }
}
