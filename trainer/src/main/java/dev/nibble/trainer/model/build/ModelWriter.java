package dev.nibble.trainer.model.build;

import dev.nibble.adapters.Parameters;
import dev.nibble.compute.files.AtomicFile;
import dev.nibble.compute.files.FileProblem;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.SafetensorsWriter;
import dev.nibble.compute.safetensors.SafetensorsWriter.Sink;
import dev.nibble.compute.safetensors.TensorInfo;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.model.ModelException;
import dev.nibble.trainer.model.config.ModelFolder;
import dev.nibble.trainer.model.config.ModelTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
    try {
      Files.createDirectories(folder);
      List<TensorInfo> tensors =
          parameters.all().stream()
              .map(p -> new TensorInfo(p.name(), dtype, p.weight().shape()))
              .toList();
      SafetensorsWriter.write(
          folder.resolve("model.safetensors"),
          tensors,
          Map.of("format", "pt"),
          sink -> {
            for (TensorInfo tensor : tensors) {
              put(sink, tensor, parameters.named(tensor.name()).weight(), kernels);
            }
          });
      ModelFolder model = new ModelFolder(source);
      boolean ownHead = tensors.stream().anyMatch(t -> t.name().equals(ModelTensors.HEAD));
      model.copyCompanions(folder);
      // Last: without it the folder is no model yet.
      AtomicFile.write(folder.resolve(ModelFolder.CONFIG), model.configOf(dtype, ownHead));
    } catch (IOException e) {
      throw new ModelException(
          "cannot write the model to %s: %s".formatted(folder, FileProblem.of(e)), e);
    }
  }

  private static void put(Sink sink, TensorInfo tensor, Tensor weight, Kernels kernels)
      throws IOException {
    try (Scope host = Scope.open("save", Memory.host())) {
      Tensor rounded = host.allocate(tensor.name(), tensor.dtype(), tensor.shape().dims());
      kernels.moving().copy(rounded, weight);
      sink.put(tensor.name(), rounded);
    }
  }
}
