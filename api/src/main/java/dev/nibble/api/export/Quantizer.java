package dev.nibble.api.export;

import dev.nibble.api.event.Event;
import dev.nibble.compute.files.AtomicFile;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.quant.CalibratedFormat;
import dev.nibble.quant.ModuleTensors;
import dev.nibble.quant.WeightFormat;
import dev.nibble.trainer.calibration.CalibrationFolder;
import dev.nibble.trainer.export.ExportException;
import dev.nibble.trainer.export.QuantizedCheckpoint;
import dev.nibble.trainer.export.QuantizedCheckpoint.QuantizedTensors;
import dev.nibble.trainer.model.build.ModelLoader;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.model.config.ModelFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** A writer of a model's folder in a weight format. */
public final class Quantizer {
  /**
   * A request to quantise a model.
   *
   * @param model folder of a model that is not quantised
   * @param output folder to write
   * @param overwrite whether a model there may be replaced
   * @param format of the linear maps inside the blocks
   * @param calibration the data that a {@link CalibratedFormat} is fitted to; its recipe's base is
   *     {@code model}
   * @param computeDtype what readers shall compute in
   * @param skip modules to leave as they are, by their last name or their whole path
   * @param maxShardBytes the most bytes of one file
   * @param threads 0 for one a core
   */
  public record Request(
      Path model,
      Path output,
      boolean overwrite,
      WeightFormat format,
      Optional<Calibration> calibration,
      DType computeDtype,
      List<String> skip,
      long maxShardBytes,
      int threads) {}

  /**
   * The result of quantising a model.
   *
   * @param quantized linear maps in the new format
   * @param linearMaps all of them inside the blocks
   * @param bytes of all files
   * @param files with weights
   */
  public record Result(int quantized, int linearMaps, long bytes, int files) {}

  private final Request request;
  private final Consumer<Event> listener;

  /** A writer of what is asked for. */
  public Quantizer(Request request, Consumer<Event> listener) {
    this.request = request;
    this.listener = listener;
  }

  /**
   * Writes the folder, whole or not at all.
   *
   * @throws ExportException when the model is quantised already, or is to be written over itself
   */
  public Result write() {
    ExportTarget target = new ExportTarget(request.output(), request.overwrite());
    if (absolute(request.model()).equals(absolute(request.output()))) {
      throw new ExportException("the model cannot be written over itself: " + request.model());
    }
    try {
      target.checkFolder();
      try (ShardedSafetensors source = ShardedSafetensors.open(request.model());
          Kernels kernels =
              KernelSets.choose(KernelSets.AUTO).open(KernelOptions.ofThreads(request.threads()))) {
        Result result = target.write(folder -> write(source, kernels, folder));
        if (request.format() instanceof CalibratedFormat) {
          calibrationFolder().delete();
        }
        return result;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path absolute(Path path) {
    return path.toAbsolutePath().normalize();
  }

  private Result write(ShardedSafetensors source, Kernels kernels, Path folder) throws IOException {
    Optional<WeightFormat> stored = ModelLoader.storedFormat(request.model());
    if (stored.isPresent()) {
      throw new ExportException(
          "%s is quantised already: %s".formatted(request.model(), stored.get().describe()));
    }
    List<String> modules =
        ModelLoader.linearWeights(request.model(), source).stream()
            .map(ModuleTensors::module)
            .toList();
    Set<String> skipped = skipped(modules);
    Set<String> quantized = new LinkedHashSet<>();
    modules.stream()
        .filter(Predicate.not(skipped::contains))
        .forEach(m -> quantized.add(m + ModuleTensors.WEIGHT));
    QuantizedCheckpoint.Result result =
        new QuantizedCheckpoint(
                source,
                quantized,
                request.format().layout(),
                values(source, quantized, kernels),
                kernels)
            .write(
                folder,
                request.maxShardBytes(),
                (done, total) ->
                    listener.accept(new Event.Working(Event.Activity.QUANTIZING, done, total)));
    ModelFolder model = new ModelFolder(request.model());
    boolean ownHead = !ModelConfig.of(request.model(), source).tiedHead();
    AtomicFile.write(
        folder.resolve(ModelFolder.CONFIG),
        model.configOf(request.format(), request.computeDtype(), List.copyOf(skipped), ownHead));
    model.copyCompanions(folder);
    return new Result(quantized.size(), modules.size(), result.bytes(), result.files());
  }

  private QuantizedTensors values(ShardedSafetensors source, Set<String> quantized, Kernels kernels)
      throws IOException {
    if (!(request.format() instanceof CalibratedFormat calibrated)) {
      return QuantizedCheckpoint.rounding(source, request.format(), kernels);
    }
    Calibration calibration =
        request
            .calibration()
            .orElseThrow(() ->
                new ExportException(
                    "%s is fitted to data: quantise the base of a recipe, whose training data calibrates it"
                        .formatted(calibrated.describe())));
    return calibration.fit(source, quantized, calibrated, calibrationFolder(), kernels, listener);
  }

  /** Beside the output, so that it outlives a stop; deleted when the output is there. */
  private CalibrationFolder calibrationFolder() {
    Path output = absolute(request.output());
    return new CalibrationFolder(output.resolveSibling(output.getFileName() + ".calibration"));
  }

  /** The modules that the names stand for; each must stand for one at least. */
  private Set<String> skipped(List<String> modules) {
    Set<String> skipped = new LinkedHashSet<>();
    for (String name : request.skip()) {
      List<String> meant =
          modules.stream().filter(m -> m.equals(name) || m.endsWith("." + name)).toList();
      if (meant.isEmpty()) {
        throw new ExportException(
            "%s has no linear layer '%s' inside its blocks to skip; expected a name such as %s, or a whole path such as %s. The output head is never quantised"
                .formatted(
                    request.model(),
                    name,
                    modules.getFirst().substring(modules.getFirst().lastIndexOf('.') + 1),
                    modules.getFirst()));
      }
      skipped.addAll(meant);
    }
    if (skipped.size() == modules.size()) {
      throw new ExportException(
          "--skip-modules names all linear layers, so there is nothing to quantise");
    }
    return skipped;
  }
}
