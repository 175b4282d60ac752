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
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Saves a model whose every weight trained, in the layout that it was read from. */
public final class ModelWriter {
  private static final List<String> COMPANIONS =
      List.of(
          "added_tokens.json",
          "chat_template.jinja",
          "generation_config.json",
          "merges.txt",
          "special_tokens_map.json",
          "tokenizer.json",
          "tokenizer.model",
          "tokenizer_config.json",
          "vocab.json");

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
      byte[] config = config(source.resolve("config.json"), dtype);
      AtomicFile.write(folder.resolve("config.json"), config);
      for (String name : COMPANIONS) {
        if (Files.isRegularFile(source.resolve(name))) {
          AtomicFile.write(folder.resolve(name), Files.readAllBytes(source.resolve(name)));
        }
      }
    } catch (IOException e) {
      throw new ModelException("cannot write the model to %s: %s".formatted(folder, e), e);
    }
  }

  private static byte[] config(Path file, DType dtype) throws IOException {
    try {
      ObjectNode config = (ObjectNode) JsonMapper.shared().readTree(Files.readString(file));
      String name =
          switch (dtype) {
            case F32 -> "float32";
            case BF16 -> "bfloat16";
            case F16 -> "float16";
            default -> throw new IllegalArgumentException("a model is not saved as " + dtype);
          };
      config.put(config.has("torch_dtype") ? "torch_dtype" : "dtype", name);
      return JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsBytes(config);
    } catch (JacksonException e) {
      throw new ModelException(
          "%s is not valid JSON: %s".formatted(file, e.getOriginalMessage()), e);
    }
  }
}
