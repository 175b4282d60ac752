package dev.nibble.trainer.export.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.trainer.export.ExportException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

class TokenizerExportTest {
  private static final String PREFIX = "tokenizer.ggml.";
  private static final String OTHERS =
      " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  @TempDir private Path folder;
  private final List<String> warnings = new ArrayList<>();

  @BeforeEach
  void writeFolder() throws IOException {
    put("config.json", "{'bos_token_id': 1, 'eos_token_id': [2, 7], 'pad_token_id': -1}");
    put("tokenizer_config.json", "{}");
  }

  private void put(String file, String json) throws IOException {
    Files.writeString(folder.resolve(file), json.replace('\'', '"'));
  }

  private Map<String, Object> export(ObjectNode tokenizer, int vocabSize) throws IOException {
    Files.writeString(folder.resolve("tokenizer.json"), tokenizer.toString());
    GgufMetadata metadata = new GgufMetadata();
    TokenizerExport.add(folder, vocabSize, metadata, warnings);
    Path out = folder.resolve("tokenizer.gguf");
    GgufWriter.write(out, metadata, List.of());
    return GgufFile.read(out).metadata();
  }

  private static Object at(Map<String, Object> metadata, String key, int i) {
    return ((List<?>) Objects.requireNonNull(metadata.get(PREFIX + key))).get(i);
  }

  @Test
  void byteLevelVocabularyIsPadded() throws IOException {
    Map<String, Object> m = export(ModelFolders.byteLevel(), 302);
    assertThat(m)
        .containsEntry(PREFIX + "model", "gpt2")
        .containsEntry(PREFIX + "pre", "gpt-2")
        .containsEntry(PREFIX + "bos_token_id", 1L)
        .containsEntry(PREFIX + "eos_token_id", 2L)
        .containsEntry(PREFIX + "add_bos_token", false)
        .containsEntry(PREFIX + "add_eos_token", false)
        .doesNotContainKeys(
            PREFIX + "padding_token_id", PREFIX + "scores", "tokenizer.chat_template");
    assertThat((List<?>) m.get(PREFIX + "tokens")).hasSize(302);
    assertThat(at(m, "tokens", 0)).isEqualTo("<unk>");
    assertThat(at(m, "tokens", 299)).isEqualTo("<tool▁call>");
    assertThat(at(m, "tokens", 301)).isEqualTo("[PAD301]");
    assertThat(at(m, "token_type", 0)).isEqualTo(1L);
    assertThat(at(m, "token_type", 1)).isEqualTo(3L);
    assertThat(at(m, "token_type", 299)).isEqualTo(4L);
    assertThat(at(m, "token_type", 300)).isEqualTo(5L);
    assertThat((List<?>) m.get(PREFIX + "merges")).hasSize(40);
    assertThat(at(m, "merges", 0)).isEqualTo("Ā Ā");
    assertThat(at(m, "merges", 1)).isEqualTo("ā ā");
    assertThat(warnings).isEmpty();
  }

  private static ObjectNode split(String regex, boolean ignoreMerges) {
    ObjectNode json = ModelFolders.byteLevel();
    ((ObjectNode) json.get("model")).put("ignore_merges", ignoreMerges);
    ObjectNode sequence = json.putObject("pre_tokenizer").put("type", "Sequence");
    ArrayNode parts = sequence.putArray("pretokenizers");
    ObjectNode split = parts.addObject().put("type", "Split").put("behavior", "Isolated");
    split.put("invert", false).putObject("pattern").put("Regex", regex);
    parts.add(
        ModelFolders.object(
            "{'type': 'ByteLevel', 'add_prefix_space': false, 'use_regex': false}"));
    return json;
  }

  @ParameterizedTest
  @CsvSource({"'{1,3}', true, llama-bpe", "'{1,3}', false, dbrx", "'', false, qwen2"})
  void rulesAreKnownByTheirRegex(String digits, boolean ignoreMerges, String name)
      throws IOException {
    String regex =
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}" + digits + "|" + OTHERS;
    assertThat(export(split(regex, ignoreMerges), 300)).containsEntry(PREFIX + "pre", name);
    assertThatThrownBy(() -> export(split(regex + "x", ignoreMerges), 300))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining("\"pre_tokenizer\" is");
  }

  @Test
  void composedAccentsAreAWarning() throws IOException {
    ObjectNode json = ModelFolders.byteLevel();
    json.putObject("normalizer").put("type", "NFC");
    export(json, 300);
    assertThat(warnings).singleElement().asString().contains("NFC");
    json.putObject("normalizer").put("type", "Lowercase");
    assertThatThrownBy(() -> export(json, 300)).hasMessageContaining("\"normalizer\"");
  }

  @Test
  void rolesAndTemplates() throws IOException {
    put(
        "tokenizer_config.json",
        "{'eos_token': {'content': '<tool▁call>'}, 'chat_template': [{'name': 'default', 'template': 'D'}, {'name': 'rag', 'template': 'R'}]}");
    put("special_tokens_map.json", "{'pad_token': '<unk>'}");
    ObjectNode json = ModelFolders.byteLevel();
    json.set(
        "post_processor",
        ModelFolders.object(
            "{'type': 'Sequence', 'processors': [{'type': 'ByteLevel'}, {'type': 'TemplateProcessing', 'single': [{'SpecialToken': {'id': '</s>'}}, {'Sequence': {'id': 'A'}}, {'SpecialToken': {'id': '<tool▁call>'}}]}]}"));
    assertThat(export(json, 300))
        .containsEntry(PREFIX + "bos_token_id", 2L)
        .containsEntry(PREFIX + "eos_token_id", 299L)
        .containsEntry(PREFIX + "padding_token_id", 0L)
        .containsEntry(PREFIX + "add_bos_token", true)
        .containsEntry(PREFIX + "add_eos_token", true)
        .containsEntry("tokenizer.chat_template", "D")
        .containsEntry("tokenizer.chat_template.rag", "R");
    Files.writeString(folder.resolve("chat_template.jinja"), "J");
    assertThat(export(json, 300)).containsEntry("tokenizer.chat_template", "J");
    put("tokenizer_config.json", "{'eos_token': '</s>'}");
    assertThatThrownBy(() -> export(json, 300)).hasMessageContaining("ends a text with token 299");
  }

  /** ▁ a b ▁a ab ▁ab and the bytes. "▁ab" is joined from "▁a" and "b" first, or from "▁", "ab". */
  private static ObjectNode sentencePiece(String... merges) {
    ObjectNode json = ModelFolders.object("{'pre_tokenizer': null, 'post_processor': null}");
    json.set(
        "normalizer",
        ModelFolders.object(
            "{'type': 'Sequence', 'normalizers': [{'type': 'Prepend', 'prepend': '▁'}, {'type': 'Replace', 'pattern': {'String': ' '}, 'content': '▁'}]}"));
    ObjectNode model = json.putObject("model").put("type", "BPE");
    model.put("byte_fallback", true).put("unk_token", "<unk>");
    ObjectNode vocab = model.putObject("vocab").put("<unk>", 0).put("<s>", 1);
    for (int b = 0; b < 256; b++) {
      vocab.put("<0x%02X>".formatted(b), 2 + b);
    }
    int id = 258;
    for (String token : List.of("▁", "a", "b", "▁a", "ab", "▁ab")) {
      vocab.put(token, id++);
    }
    ArrayNode list = model.putArray("merges");
    for (String merge : merges) {
      list.add(merge);
    }
    ArrayNode added = json.putArray("added_tokens");
    added.add(ModelFolders.object("{'id': 0, 'content': '<unk>', 'special': true}"));
    added.add(ModelFolders.object("{'id': 1, 'content': '<s>', 'special': true}"));
    added.add(
        ModelFolders.object("{'id': 264, 'content': '▁x', 'special': false, 'normalized': true}"));
    return json;
  }

  @Test
  void sentencePieceScoresAreRanks() throws IOException {
    Map<String, Object> m = export(sentencePiece("▁ a", "a b", "▁a b", "▁ ab"), 265);
    assertThat(m)
        .containsEntry(PREFIX + "model", "llama")
        .containsEntry(PREFIX + "pre", "default")
        .containsEntry(PREFIX + "add_space_prefix", true)
        .containsEntry(PREFIX + "unknown_token_id", 0L)
        .doesNotContainKey(PREFIX + "merges");
    assertThat(at(m, "scores", 261)).isEqualTo(0f); // ▁a
    assertThat(at(m, "scores", 262)).isEqualTo(-1f); // ab
    assertThat(at(m, "scores", 263)).isEqualTo(-2f); // ▁ab, by its first merge
    assertThat(at(m, "scores", 259)).isEqualTo(-4f); // a: no merge makes it
    assertThat(at(m, "token_type", 0)).isEqualTo(2L);
    assertThat(at(m, "token_type", 1)).isEqualTo(3L);
    assertThat(at(m, "token_type", 2)).isEqualTo(6L);
    assertThat(at(m, "token_type", 258)).isEqualTo(1L);
    assertThat(at(m, "token_type", 264)).isEqualTo(4L);
    assertThat(at(m, "tokens", 258)).isEqualTo("▁");
    assertThat(at(m, "tokens", 264)).isEqualTo(" x");
    assertThat(warnings).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"▁ a,a b,▁a b", "▁a b,▁ a,a b,▁ ab"})
  void otherOrdersOfMergesAreAWarning(String merges) throws IOException {
    export(sentencePiece(merges.split(",", -1)), 265);
    assertThat(warnings)
        .singleElement()
        .asString()
        .startsWith("llama.cpp may join 1 of 265 tokens");
  }

  @Test
  void spacePrefixes() throws IOException {
    ObjectNode json = sentencePiece("▁ a", "a b", "▁a b", "▁ ab");
    json.set(
        "normalizer",
        ModelFolders.object("{'type': 'Replace', 'pattern': {'String': ' '}, 'content': '▁'}"));
    assertThat(export(json, 265)).containsEntry(PREFIX + "add_space_prefix", false);
    json.putNull("normalizer");
    assertThatThrownBy(() -> export(json, 265)).hasMessageContaining("\"normalizer\" is null");
    json.putObject("pre_tokenizer").put("type", "Metaspace").put("prepend_scheme", "never");
    assertThat(export(json, 265)).containsEntry(PREFIX + "add_space_prefix", false);
    assertThat(warnings).isEmpty();
    json.putObject("pre_tokenizer").put("type", "Metaspace").put("prepend_scheme", "first");
    assertThat(export(json, 265)).containsEntry(PREFIX + "add_space_prefix", true);
    assertThat(warnings).singleElement().asString().contains("behind every special token");
  }

  @Test
  void refusesWhatLlamaCppWouldTokeniseOtherwise() throws IOException {
    ObjectNode json = ModelFolders.byteLevel();
    ObjectNode model = (ObjectNode) json.get("model");
    model.put("end_of_word_suffix", "</w>");
    assertThatThrownBy(() -> export(json, 300)).hasMessageContaining("model.end_of_word_suffix");
    model.put("type", "Unigram");
    assertThatThrownBy(() -> export(json, 300))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining("\"model.type\" is \"Unigram\"; supported: BPE");
    ObjectNode bytes = sentencePiece("▁ a");
    ((ObjectNode) bytes.get("model").get("vocab")).remove("<0x0A>");
    assertThatThrownBy(() -> export(bytes, 265)).hasMessageContaining("<0x00> to <0xFF>");
    ((ObjectNode) bytes.get("model")).put("byte_fallback", false);
    assertThatThrownBy(() -> export(bytes, 265)).hasMessageContaining("byte_fallback");
    Files.delete(folder.resolve("tokenizer.json"));
    assertThatThrownBy(() -> TokenizerExport.add(folder, 1, new GgufMetadata(), warnings))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining("has no tokenizer.json");
  }

  /** As llama.cpp's own converter does; Gemma 3's released tokenizers have such a token. */
  @Test
  void tokensWithoutAnEmbeddingAreLeftOut() throws IOException {
    ObjectNode json = ModelFolders.byteLevel();
    Map<String, Object> m = export(json, 299);
    assertThat((List<?>) m.get(PREFIX + "tokens")).hasSize(299);
    assertThat((List<?>) m.get(PREFIX + "token_type")).hasSize(299);
    assertThat(warnings)
        .singleElement()
        .asString()
        .startsWith("the tokenizer has 1 more tokens than the model has embeddings, 299;")
        .endsWith("[<tool▁call>]");
    export(json, 290);
    put("tokenizer_config.json", "{'pad_token': '<tool▁call>'}");
    assertThat(export(json, 299)).doesNotContainKey(PREFIX + "padding_token_id");
    put("tokenizer_config.json", "{'eos_token': '<tool▁call>'}");
    assertThatThrownBy(() -> export(json, 299))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining("eos_token is '<tool▁call>' with id 299, but the model has only 299");
  }

  @Test
  void everyTokenThatEndsATextIsNamed() throws IOException {
    assertThat(export(ModelFolders.byteLevel(), 300))
        .containsEntry(PREFIX + "eos_token_id", 2L)
        .containsEntry(PREFIX + "eot_token_id", 7L)
        .doesNotContainKey(PREFIX + "eom_token_id");
    put("tokenizer_config.json", "{'eos_token': '<tool▁call>'}");
    put("generation_config.json", "{'eos_token_id': [1, 299, 2]}");
    assertThat(export(ModelFolders.byteLevel(), 300))
        .containsEntry(PREFIX + "eos_token_id", 299L)
        .containsEntry(PREFIX + "eot_token_id", 1L)
        .containsEntry(PREFIX + "eom_token_id", 2L);
    assertThat(warnings).isEmpty();
    put("generation_config.json", "{'eos_token_id': [1, 299, 2, 3]}");
    export(ModelFolders.byteLevel(), 300);
    assertThat(warnings).singleElement().asString().contains("ends at 4 tokens").endsWith("[Ā]");
  }

  @Test
  void tokensThatSwallowSpacesAreAWarning() throws IOException {
    ObjectNode json = ModelFolders.byteLevel();
    ((ObjectNode) json.get("added_tokens").get(2)).put("rstrip", true);
    export(json, 300);
    assertThat(warnings)
        .singleElement()
        .asString()
        .startsWith("1 added tokens")
        .endsWith("[<tool▁call>]");
  }
}
