package dev.nibble.trainer.model.config;

import dev.nibble.compute.files.AtomicFile;
import dev.nibble.compute.tensor.DType;
import dev.nibble.quant.WeightFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The files of a model's folder in Hugging Face's layout besides its tensors, for models derived
 * from it.
 *
 * @param path the folder
 */
public record ModelFolder(Path path) {
  /** The file of sizes and of the architecture. */
  public static final String CONFIG = "config.json";

  private static final String TIED = "tie_word_embeddings";

  private static final String QUANTIZATION = "quantization_config";

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

  /**
   * The config.json of a model of this architecture whose tensors are not quantised.
   *
   * @param dtype of its tensors: F32, BF16 or F16
   * @param ownHead whether it has an output head besides the embeddings
   */
  public byte[] configOf(DType dtype, boolean ownHead) {
    ObjectNode config = config();
    config.remove(QUANTIZATION);
    config.put(config.has("torch_dtype") ? "torch_dtype" : "dtype", name(dtype));
    if (ownHead) {
      config.put(TIED, false);
    }
    return JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsBytes(config);
  }

  /**
   * The config.json of this model with its linear maps in a weight format.
   *
   * @param compute what readers shall compute in: F32, BF16 or F16
   * @param skipped modules inside the blocks that were left as they are
   * @param ownHead whether the model has an output head besides the embeddings
   */
  public byte[] configOf(
      WeightFormat format, DType compute, List<String> skipped, boolean ownHead) {
    ObjectNode config = config();
    if (ownHead) {
      config.put(TIED, false);
    }
    config.set(QUANTIZATION, format.layout().config(compute, skipped));
    return JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsBytes(config);
  }

  private static String name(DType dtype) {
    return switch (dtype) {
      case F32 -> "float32";
      case BF16 -> "bfloat16";
      case F16 -> "float16";
      default -> throw new IllegalArgumentException("a model is not saved as " + dtype);
    };
  }

  private ObjectNode config() {
    return ConfigJson.tree(path.resolve(CONFIG));
  }

  /** Names of the tokenizer's files, the chat template and the generation settings. */
  public static List<String> companions() {
    return COMPANIONS;
  }

  /** Copies the tokenizer's files, the chat template and the generation settings. */
  public void copyCompanions(Path folder) throws IOException {
    for (String name : COMPANIONS) {
      if (Files.isRegularFile(path.resolve(name))) {
        AtomicFile.write(folder.resolve(name), Files.readAllBytes(path.resolve(name)));
      }
    }
  }
}
