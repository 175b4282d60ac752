package dev.nibble.examples.bpe;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Writes an encoding as the files of the Hugging Face tokenizers library. */
public final class TokenizerFiles {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private TokenizerFiles() {}

  /**
   * Writes tokenizer.json, tokenizer_config.json and special_tokens_map.json, replacing what is
   * there.
   *
   * @param eos the token that ends a text, one of {@link Bpe#special}
   * @param pad the token that fills a batch, one of {@link Bpe#special}
   * @param maxLength most tokens the model takes
   */
  public static void write(Path folder, Bpe bpe, String eos, String pad, int maxLength)
      throws IOException {
    Files.createDirectories(folder);
    replace(folder.resolve("tokenizer.json"), tokenizer(bpe));
    Map<String, String> special = new LinkedHashMap<>();
    special.put("eos_token", eos);
    special.put("pad_token", pad);
    replace(folder.resolve("special_tokens_map.json"), special);
    Map<String, @Nullable Object> config = new LinkedHashMap<>();
    config.put("tokenizer_class", "PreTrainedTokenizerFast");
    config.put("bos_token", null);
    config.put("eos_token", eos);
    config.put("pad_token", pad);
    config.put("add_bos_token", false);
    config.put("add_eos_token", false);
    config.put("clean_up_tokenization_spaces", false);
    config.put("model_max_length", maxLength);
    replace(folder.resolve("tokenizer_config.json"), config);
  }

  private static void replace(Path file, Object content) throws IOException {
    Path unfinished = file.resolveSibling(file.getFileName() + ".unfinished");
    Files.writeString(unfinished, JSON.writeValueAsString(content) + "\n");
    Files.move(unfinished, file, StandardCopyOption.REPLACE_EXISTING);
  }

  private static Map<String, @Nullable Object> tokenizer(Bpe bpe) {
    Map<String, Integer> ids = new LinkedHashMap<>();
    for (String token : bpe.vocabulary()) {
      ids.put(token, ids.size());
    }
    Map<String, @Nullable Object> model = new LinkedHashMap<>();
    model.put("type", "BPE");
    model.put("dropout", null);
    model.put("unk_token", null);
    model.put("continuing_subword_prefix", null);
    model.put("end_of_word_suffix", null);
    model.put("fuse_unk", false);
    model.put("byte_fallback", false);
    model.put("ignore_merges", false);
    model.put("vocab", ids);
    // Letters of bytes are never spaces, so this form, which every version reads, is unambiguous.
    model.put("merges", bpe.merges().stream().map(m -> m.left() + " " + m.right()).toList());

    Map<String, @Nullable Object> file = new LinkedHashMap<>();
    file.put("version", "1.0");
    file.put("truncation", null);
    file.put("padding", null);
    file.put("added_tokens", bpe.special().stream().map(t -> special(t, ids)).toList());
    file.put("normalizer", null);
    file.put("pre_tokenizer", byteLevel());
    file.put("post_processor", null);
    file.put("decoder", byteLevel());
    file.put("model", model);
    return file;
  }

  private static Map<String, Object> byteLevel() {
    Map<String, Object> step = new LinkedHashMap<>();
    step.put("type", "ByteLevel");
    step.put("add_prefix_space", false);
    step.put("trim_offsets", true);
    step.put("use_regex", true);
    return step;
  }

  private static Map<String, Object> special(String token, Map<String, Integer> ids) {
    Map<String, Object> added = new LinkedHashMap<>();
    added.put("id", ids.getOrDefault(token, -1));
    added.put("content", token);
    for (String no : List.of("single_word", "lstrip", "rstrip", "normalized")) {
      added.put(no, false);
    }
    added.put("special", true);
    return added;
  }
}
