package dev.nibble.trainer.model;

import dev.nibble.adapters.Parameters;
import dev.nibble.compute.files.AtomicFile;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.SafetensorsWriter;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Saves a model whose every weight trained, in the layout that it was read from. */
public final class ModelWriter {
  private ModelWriter() {}

  /**
   * Writes model.safetensors, the source's config.json with its dtype brought up to date, and the
   * source's tokenizer files. Each file is replaced as a whole or not at all.
   *
   * @param folder made when it is missing
   * @param source the folder that the model was built from
   * @param parameters all weights
   * @param dtype F32, BF16 or F16
   */
  public static void save(
      Path folder, Path source, Parameters parameters, DType dtype, Kernels kernels) {
    try (Scope rounded = Scope.open("save", kernels.memory(), Scope.UNLIMITED)) {
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      for (Parameters.Parameter p : parameters.all()) {
        Tensor weight = p.weight();
        if (dtype != weight.dtype()) {
          weight = rounded.allocate("save/" + p.name(), dtype, weight.shape().dims());
          kernels.copy(weight, p.weight());
        }
        tensors.put(p.name(), weight);
      }
      Files.createDirectories(folder);
      SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
      ModelFolder model = new ModelFolder(source);
      boolean ownHead = tensors.containsKey(ModelTensors.HEAD);
      AtomicFile.write(folder.resolve(ModelFolder.CONFIG), model.configOf(dtype, ownHead));
      model.copyCompanions(folder);
    } catch (IOException e) {
      throw new ModelException("cannot write the model to %s: %s".formatted(folder, e), e);
    }
  }
}
