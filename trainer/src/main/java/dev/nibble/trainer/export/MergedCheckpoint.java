package dev.nibble.trainer.export;

import dev.nibble.compute.files.AtomicFile;
import dev.nibble.compute.kernels.HostAndDevice;
import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.SafetensorsWriter;
import dev.nibble.compute.safetensors.ShardPlan;
import dev.nibble.compute.safetensors.TensorInfo;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.quant.NonFinite;
import dev.nibble.trainer.model.config.ModelFolder;
import dev.nibble.trainer.model.config.ModelTensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;

/**
 * Writes a merged model in the layout of its base: safetensors, config.json, tokenizer and chat
 * template. At no time is more than one tensor in memory.
 */
public final class MergedCheckpoint {
  private final MergedSource written;
  private final MergedSource trained;
  private final Kernels kernels;
  private final DType dtype;
  private final List<LostUpdate> lost = new ArrayList<>();

  /**
   * A checkpoint to write.
   *
   * @param written what it shall hold
   * @param trained the model as it was trained, for comparison; may be {@code written} itself
   * @param dtype F32, BF16 or F16: every value is rounded to it once
   */
  public MergedCheckpoint(
      MergedSource written, MergedSource trained, Kernels kernels, DType dtype) {
    this.written = written;
    this.trained = trained;
    this.kernels = kernels;
    this.dtype = dtype;
  }

  /**
   * What was written.
   *
   * @param files how many safetensors files
   * @param bytes of tensors
   * @param lost by each tensor that the adapter changed, in order
   */
  public record Result(int files, long bytes, List<LostUpdate> lost) {

    /** The tensor that lost the largest share of its update; empty when nothing was changed. */
    public Optional<LostUpdate> worst() {
      return lost.stream().max((a, b) -> Double.compare(a.share(), b.share()));
    }
  }

  /**
   * Writes the model.
   *
   * @param source folder of the base model, for its config.json and its tokenizer's files
   * @param folder exists, and is the caller's to put in place or to delete
   * @param maxShardBytes the most bytes of tensors in one file
   * @param progress takes the bytes done and the bytes in all, after each tensor
   * @throws IOException when writing fails
   */
  public Result write(Path source, Path folder, long maxShardBytes, BiConsumer<Long, Long> progress)
      throws IOException {
    lost.clear();
    List<TensorInfo> tensors =
        written.names().stream()
            .map(name -> new TensorInfo(name, dtype, written.shape(name)))
            .toList();
    ShardPlan plan = ShardPlan.of(tensors, maxShardBytes);
    long total = plan.totalBytes();
    long[] done = {0};
    for (ShardPlan.Shard shard : plan.shards()) {
      SafetensorsWriter.write(
          folder.resolve(shard.file()),
          shard.tensors(),
          Map.of("format", "pt"),
          sink -> {
            for (TensorInfo tensor : shard.tensors()) {
              put(sink, tensor);
              done[0] += tensor.bytes();
              progress.accept(done[0], total);
            }
          });
    }
    plan.writeIndex(folder, tensors.stream().mapToLong(t -> t.shape().elements()).sum());
    ModelFolder base = new ModelFolder(source);
    boolean ownHead = written.names().contains(ModelTensors.HEAD);
    AtomicFile.write(folder.resolve(ModelFolder.CONFIG), base.configOf(dtype, ownHead));
    base.copyCompanions(folder);
    return new Result(plan.shards().size(), total, List.copyOf(lost));
  }

  private void put(SafetensorsWriter.Sink sink, TensorInfo info) throws IOException {
    String name = info.name();
    long[] dims = info.shape().dims();
    try (Scope memory = Scope.open("export", kernels.memory());
        HostCopies host = new HostCopies(kernels)) {
      Tensor merged = memory.allocate("merged/" + name, DType.F32, dims);
      written.readFrozen(name, merged);
      Optional<Tensor> frozen = frozen(memory, name, merged);
      written.join(name, merged);
      Tensor rounded = memory.allocate("rounded/" + name, dtype, dims);
      kernels.moving().copy(rounded, merged);
      Tensor onHost = host.of(rounded);
      NonFinite.find(onHost)
          .ifPresent(found -> {
            throw new ExportException(
                "merged with the adapter, %s has %s in %s. Either the type is too narrow and F32 can hold it, or the adapter's values are not those of a trained one"
                    .formatted(name, found, dtype));
          });
      sink.put(name, onHost);
      if (frozen.isPresent()) {
        lost.add(lost(memory, name, frozen.get(), merged, rounded));
      }
    }
  }

  /**
   * A tensor that the adapter changes as it was in training, without its update. Quantising is what
   * costs most, so the tensor at hand is taken where it is the same.
   */
  private Optional<Tensor> frozen(Scope memory, String name, Tensor own) {
    if (!written.changes(name)) {
      return Optional.empty();
    }
    Tensor frozen = memory.allocate("frozen/" + name, DType.F32, own.shape().dims());
    if (trained == written) {
      kernels.moving().copy(frozen, own);
    } else {
      trained.readFrozen(name, frozen);
    }
    return Optional.of(frozen);
  }

  /** Overwrites {@code frozen} and {@code merged}. */
  private LostUpdate lost(Scope memory, String name, Tensor frozen, Tensor merged, Tensor rounded) {
    if (trained != written) {
      kernels.moving().copy(merged, frozen);
      trained.join(name, merged);
    }
    double update = distance(memory, frozen, merged);
    kernels.moving().copy(frozen, rounded);
    double error = distance(memory, frozen, merged);
    return new LostUpdate(name, error == 0 ? 0 : error / update);
  }

  /** |b - a|; overwrites a. */
  private double distance(Scope memory, Tensor a, Tensor b) {
    kernels.pointwise().scale(a, -1);
    kernels.pointwise().add(a, a, b);
    HostAndDevice squares = HostAndDevice.allocate(memory, "compared/squares", DType.F64, 1);
    kernels.optimizers().sumOfSquares(squares.tensor(), a);
    return Math.sqrt(squares.toHost(kernels).getDouble(0));
  }
}
