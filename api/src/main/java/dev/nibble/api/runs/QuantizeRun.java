package dev.nibble.api.runs;

import dev.nibble.api.text.Human;
import dev.nibble.api.text.Paths;
import dev.nibble.compute.files.AtomicFile;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.quant.WeightFormat;
import dev.nibble.trainer.export.ExportException;
import dev.nibble.trainer.export.QuantizedCheckpoint;
import dev.nibble.trainer.model.build.ModelLoader;
import dev.nibble.trainer.model.config.ModelFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/** {@code nibble quantize}: a model's folder in a weight format. */
public final class QuantizeRun {
  private static final String WEIGHT = ".weight";

  /**
   * What is asked for.
   *
   * @param model folder of a model that is not quantised
   * @param output folder to write
   * @param overwrite whether a model there may be replaced
   * @param format of the linear maps inside the blocks
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
      DType computeDtype,
      List<String> skip,
      long maxShardBytes,
      int threads) {}

  private final Request request;
  private final Output console;

  /** A run that tells {@code console} what it does. */
  public QuantizeRun(Request request, Output console) {
    this.request = request;
    this.console = console;
  }

  /**
   * Writes the folder, whole or not at all.
   *
   * @throws ExportException when the model is quantised already, or is to be written over itself
   */
  public void run() {
    ExportTarget target = new ExportTarget(request.output(), request.overwrite());
    if (absolute(request.model()).equals(absolute(request.output()))) {
      throw new ExportException("the model cannot be written over itself: " + request.model());
    }
    try {
      target.checkFolder();
      try (ShardedSafetensors source = ShardedSafetensors.open(request.model());
          Kernels kernels =
              KernelSets.choose(KernelSets.AUTO).open(KernelOptions.ofThreads(request.threads()))) {
        target.write(folder -> write(source, kernels, folder));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path absolute(Path path) {
    return path.toAbsolutePath().normalize();
  }

  private void write(ShardedSafetensors source, Kernels kernels, Path folder) throws IOException {
    Optional<WeightFormat> stored = ModelLoader.storedFormat(request.model());
    if (stored.isPresent()) {
      throw new ExportException(
          "%s is quantised already: %s".formatted(request.model(), stored.get().describe()));
    }
    List<String> modules =
        ModelLoader.linearWeights(request.model(), source).stream()
            .map(QuantizeRun::module)
            .toList();
    Set<String> skipped = skipped(modules);
    Set<String> quantized = new LinkedHashSet<>();
    modules.stream()
        .filter(Predicate.not(skipped::contains))
        .forEach(m -> quantized.add(m + WEIGHT));
    QuantizedCheckpoint.Result result =
        new QuantizedCheckpoint(source, quantized, request.format(), kernels)
            .write(
                folder,
                request.maxShardBytes(),
                (done, total) ->
                    console.live(
                        "  quantising %s".formatted(Human.percent((double) done / total))));
    ModelFolder model = new ModelFolder(request.model());
    AtomicFile.write(
        folder.resolve(ModelFolder.CONFIG),
        model.configOf(request.format(), request.computeDtype(), List.copyOf(skipped)));
    model.copyCompanions(folder);
    console.line(
        "  %d of %d linear maps in %s: %s in %d %s in %s"
            .formatted(
                quantized.size(),
                modules.size(),
                request.format().describe(),
                Human.bytes(result.bytes()),
                result.files(),
                result.files() == 1 ? "file" : "files",
                Paths.shown(request.output())));
  }

  private static String module(String weight) {
    return weight.substring(0, weight.length() - WEIGHT.length());
  }

  /** The modules that the names stand for; each must stand for one at least. */
  private Set<String> skipped(List<String> modules) {
    Set<String> skipped = new LinkedHashSet<>();
    for (String name : request.skip()) {
      List<String> meant =
          modules.stream().filter(m -> m.equals(name) || m.endsWith("." + name)).toList();
      if (meant.isEmpty()) {
        throw new ExportException(
            "--skip-modules: %s has no linear map '%s' inside its blocks; expected a name such as %s, or a whole path such as %s. The output head is left as it is anyway"
                .formatted(
                    request.model(),
                    name,
                    modules.getFirst().substring(modules.getFirst().lastIndexOf('.') + 1),
                    modules.getFirst()));
      }
      skipped.addAll(meant);
    }
    if (skipped.size() == modules.size()) {
      throw new ExportException("--skip-modules leaves nothing to quantise");
    }
    return skipped;
  }
}
