package dev.nibble.trainer.calibration;

import dev.nibble.adapters.FrozenProjection;
import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.PlanningKernels;
import dev.nibble.compute.safetensors.SafetensorsWriter;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.data.Batch;
import dev.nibble.quant.CalibratedFormat;
import dev.nibble.quant.CheckpointReaders;
import dev.nibble.quant.FrozenWeights;
import dev.nibble.quant.StoredWeights;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;
import dev.nibble.trainer.model.LayeredModel;
import dev.nibble.trainer.model.build.ModelLoader;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.model.config.ModelTensors;
import dev.nibble.trainer.model.config.TensorSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.BiConsumer;

/**
 * Brings a model's linear maps to a calibrated format, layer by layer: a layer sees the batches as
 * the quantised layers before it pass them on, and its weights are fitted to the second moments of
 * what they multiply (as GPTQ does, arXiv:2210.17323).
 *
 * <p>In memory are, besides the model's mapped file, one layer's moments, its quantised weights and
 * the activations of one batch. The residual streams of all batches lie in a file.
 */
public final class LayerwiseQuantization {
  private final Request request;
  private final Kernels kernels;
  private final CalibrationFolder folder;
  private final BiConsumer<Long, Long> progress;
  private final StoredWeights dense;
  private final Map<Integer, List<String>> layers;
  private final Map<String, WatchedProjection> projections = new HashMap<>();
  private long done;
  private long total;

  /**
   * What to quantise, and with what data.
   *
   * @param model folder of the model
   * @param source its tensors, not quantised; stay the caller's, and open
   * @param weights names of the weights to quantise
   * @param batches the calibration data, one at least
   * @param identity all that decides the result, as text; a stopped quantisation is gone on with
   *     where it is the same
   */
  public record Request(
      Path model,
      ShardedSafetensors source,
      Set<String> weights,
      CalibratedFormat format,
      List<Batch> batches,
      String identity) {
    /** Copies the collections. */
    public Request {
      weights = Set.copyOf(weights);
      batches = List.copyOf(batches);
      if (batches.isEmpty()) {
        throw new IllegalArgumentException("no calibration data");
      }
    }

    /** The weights of each layer, in the order of the forward pass. */
    private Map<Integer, List<String>> layers() {
      Map<Integer, List<String>> layers = new LinkedHashMap<>();
      for (TensorSpec tensor : ModelTensors.of(ModelConfig.of(model, source))) {
        if (weights.contains(tensor.name())) {
          int layer = tensor.layer().orElseThrow();
          layers.computeIfAbsent(layer, l -> new ArrayList<>()).add(tensor.name());
        }
      }
      return layers;
    }
  }

  /**
   * A quantisation to run.
   *
   * @param folder takes what is done
   * @param progress hears of the steps done, and of all: batches that pass a layer, and weights
   */
  public LayerwiseQuantization(
      Request request, Kernels kernels, CalibrationFolder folder, BiConsumer<Long, Long> progress) {
    this.request = request;
    this.kernels = kernels;
    this.folder = folder;
    this.progress = progress;
    this.dense = CheckpointReaders.find(request.source());
    this.layers = request.layers();
  }

  /**
   * Quantises the layers that are not done yet.
   *
   * @return the file of each weight's tensors
   * @throws IOException when the folder cannot be written; layers that are done stay in it
   * @throws UnusableWeight when the format cannot hold a weight, or the data do not do for it. Only
   *     another request can help, for which nothing in the folder is of use: it is deleted
   */
  public Map<String, Path> run() throws IOException {
    checkSizes();
    folder.claim(request.identity());
    try {
      return fitLayers();
    } catch (UnusableWeight e) {
      folder.delete();
      throw e;
    }
  }

  /** Refuses weights that the format has no matrices for, before hours of work. */
  private void checkSizes() {
    Kernels planning = PlanningKernels.of(kernels);
    try (Scope scope = Scope.open("sizes", planning.memory())) {
      WeightFormat.Allocator allocator = request.format().allocator(planning, scope);
      layers.values().stream()
          .flatMap(List::stream)
          .map(request.source()::tensor)
          .forEach(weight -> {
            allocator.allocate(weight.name(), weight.rows(), weight.cols());
            request.format().layout().tensors(weight.name(), weight.shape(), weight.dtype());
          });
    }
  }

  private Map<String, Path> fitLayers() throws IOException {
    try (Scope scope = Scope.open("calibration", kernels.memory());
        Scope host = Scope.open("residual streams", Memory.host())) {
      int most = request.batches().stream().mapToInt(Batch::length).max().orElseThrow();
      LayeredModel model =
          ModelLoader.surrounded(
              request.model(), request.source(), most, this::watched, kernels, scope);
      Tensor room =
          Buffers.of(kernels, host).activation("calibration/streams", most, model.hidden());
      LayerPasses passes = new LayerPasses(model, request.batches(), folder, room, this::step);
      total = steps(model.layers(), model);
      int first = folder.next(model.layers());
      done = steps(first, model);
      if (!Files.exists(folder.streams(first))) {
        passes.embed();
      }
      for (int l = first; l < model.layers(); l++) {
        quantise(l, passes);
      }
    }
    Map<String, Path> files = new HashMap<>();
    layers.forEach((l, weights) -> weights.forEach(w -> files.put(w, folder.weights(l))));
    return files;
  }

  private WatchedProjection watched(String module, FrozenProjection linear) {
    WatchedProjection watched = new WatchedProjection(module + ".weight", linear);
    projections.put(watched.weight(), watched);
    return watched;
  }

  private void quantise(int layer, LayerPasses passes) throws IOException {
    List<WatchedProjection> maps =
        layers.getOrDefault(layer, List.of()).stream()
            .map(w -> Objects.requireNonNull(projections.get(w)))
            .toList();
    try (Scope scope = Scope.open("layer", kernels.memory());
        HostCopies host = new HostCopies(kernels)) {
      InputMoments moments = new InputMoments(kernels, scope);
      maps.forEach(map -> map.watch(moments));
      passes.see(layer, moments);
      FrozenWeights weights =
          new FrozenWeights(request.source(), dense, Optional.of(request.format()), kernels, scope);
      SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
      for (WatchedProjection map : maps) {
        DType before = request.source().tensor(map.weight()).dtype();
        FrozenMatrix made = weights.load(map.weight(), moments.of(map.weight(), host));
        tensors.putAll(
            request.format().layout().tensors(map.weight(), made.over(host::of), before));
        map.exchange(made);
        step();
      }
      SafetensorsWriter.write(folder.weights(layer), tensors, Map.of("format", "pt"));
      passes.go(layer);
      maps.forEach(WatchedProjection::restore);
    }
  }

  private void step() {
    done++;
    progress.accept(done, total);
  }

  /** Of the first {@code n} layers: two passes of each batch, but one through the last layer. */
  private long steps(int n, LayeredModel model) {
    long weights =
        layers.entrySet().stream()
            .filter(e -> e.getKey() < n)
            .mapToLong(e -> e.getValue().size())
            .sum();
    long passes = n < model.layers() ? 2L * n : 2L * n - 1;
    return weights + passes * request.batches().size();
  }
}
