package dev.nibble.trainer.model.config;

import dev.nibble.compute.files.AtomicFile;
import dev.nibble.compute.tensor.DType;
import dev.nibble.quant.FourBitFormat;
import dev.nibble.trainer.model.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a model's folder in Hugging Face's layout holds besides tensors, for models that are made of
 * it.
 *
 * @param path the folder
 */
public record ModelFolder(Path path) {
  /** The file of sizes and of the architecture. */
  public static final String CONFIG = "config.json";

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
  public byte[] configOf(DType dtype, boolean ownHead) throws IOException {
    ObjectNode config = config();
    config.remove(QUANTIZATION);
    config.put(config.has("torch_dtype") ? "torch_dtype" : "dtype", name(dtype));
    if (ownHead) {
      config.put("tie_word_embeddings", false);
    }
    return JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsBytes(config);
  }

  /**
   * The config.json of this model with its linear maps in 4 bits, as transformers writes it.
   *
   * @param compute what readers shall compute in: F32, BF16 or F16
   * @param skipped modules inside the blocks that were left as they are
   */
  public byte[] configOf(FourBitFormat format, DType compute, List<String> skipped)
      throws IOException {
    ObjectNode config = config();
    ObjectNode q = config.putObject(QUANTIZATION);
    q.put("quant_method", "bitsandbytes");
    q.put("_load_in_8bit", false);
    q.put("_load_in_4bit", true);
    q.put("llm_int8_threshold", 6.0);
    // A list, once there is one, must name the head too; without a list it is left by itself.
    if (skipped.isEmpty()) {
      q.putNull("llm_int8_skip_modules");
    } else {
      ArrayNode list = q.putArray("llm_int8_skip_modules");
      skipped.forEach(list::add);
      list.add("lm_head");
    }
    q.put("llm_int8_enable_fp32_cpu_offload", false);
    q.put("llm_int8_has_fp16_weight", false);
    q.put("bnb_4bit_quant_type", format.type().name().toLowerCase(Locale.ROOT));
    q.put("bnb_4bit_use_double_quant", format.doubleQuant());
    q.put("bnb_4bit_compute_dtype", name(compute));
    q.put("bnb_4bit_quant_storage", "uint8");
    q.put("load_in_4bit", true);
    q.put("load_in_8bit", false);
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

  private ObjectNode config() throws IOException {
    Path file = path.resolve(CONFIG);
    try {
      JsonNode config = JsonMapper.shared().readTree(Files.readString(file));
      if (config instanceof ObjectNode object) {
        return object;
      }
      throw new ModelException(file + " does not hold a JSON object");
    } catch (JacksonException e) {
      throw new ModelException(
          "%s is not valid JSON: %s".formatted(file, e.getOriginalMessage()), e);
    }
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
