package dev.nibble.trainer.export.gguf;

import dev.nibble.trainer.export.ExportException;
import dev.nibble.trainer.export.gguf.BpeTokenizer.Added;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/** The tokenizer's metadata: vocabulary, merges or scores, tokens with a role, chat template. */
final class TokenizerExport {
  private static final String PREFIX = "tokenizer.ggml.";
  private static final int SHOWN = 5;
  private static final int NORMAL = 1;
  private static final int UNKNOWN = 2;
  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;
  private static final int UNUSED = 5;
  private static final int BYTE = 6;

  private final Path folder;
  private final BpeTokenizer tokenizer;
  private final GgufMetadata metadata;
  private final List<String> warnings;
  private final String[] tokens;
  private final int[] types;
  private final Map<Integer, String> surplus = new TreeMap<>();

  private TokenizerExport(
      Path folder,
      BpeTokenizer tokenizer,
      int vocabSize,
      GgufMetadata metadata,
      List<String> warnings) {
    this.folder = folder;
    this.tokenizer = tokenizer;
    this.metadata = metadata;
    this.warnings = warnings;
    this.tokens = new String[vocabSize];
    this.types = new int[vocabSize];
  }

  /**
   * Adds what a folder's tokenizer.json and the files beside it say.
   *
   * @param vocabSize V of the model; tokens that the tokenizer lacks are called [PADi], and those
   *     that the model has no embedding for are left out
   */
  static void add(Path folder, int vocabSize, GgufMetadata metadata, List<String> warnings) {
    Path file = folder.resolve("tokenizer.json");
    if (!Files.isRegularFile(file)) {
      throw new ExportException(
          "%s has no tokenizer.json; a GGUF file holds the tokenizer too".formatted(folder));
    }
    BpeTokenizer tokenizer = BpeTokenizer.read(JsonFile.read(file));
    new TokenizerExport(folder, tokenizer, vocabSize, metadata, warnings).add();
  }

  private void add() {
    boolean byteLevel = PreTokenizer.isByteLevel(tokenizer);
    if (byteLevel) {
      metadata.text(PREFIX + "model", "gpt2");
      metadata.text(PREFIX + "pre", PreTokenizer.nameOf(tokenizer, warnings));
    } else {
      metadata.text(PREFIX + "model", "llama").text(PREFIX + "pre", "default");
      metadata.flag(
          PREFIX + "add_space_prefix", SentencePieceBpe.addsSpacePrefix(tokenizer, warnings));
    }
    fillTokens(byteLevel);
    warnOfSurplus();
    metadata.texts(PREFIX + "tokens", Arrays.asList(tokens));
    metadata.i32s(PREFIX + "token_type", types);
    if (byteLevel) {
      addMerges();
    } else {
      metadata.f32s(PREFIX + "scores", SentencePieceBpe.scores(tokenizer, tokens, warnings));
    }
    addRoles();
    ChatTemplates.add(folder, metadata);
  }

  private void fillTokens(boolean byteLevel) {
    Arrays.fill(types, UNUSED);
    tokenizer.vocab().forEach((token, id) -> set(id, token, NORMAL));
    if (!byteLevel) {
      for (String token : SentencePieceBpe.byteTokens()) {
        Integer id = tokenizer.vocab().get(token);
        if (id == null || id >= types.length) {
          throw tokenizer.model().wrong("vocab", "byte tokens from <0x00> to <0xFF>");
        }
        types[id] = BYTE;
      }
    }
    List<String> wordLike = new ArrayList<>();
    for (Map.Entry<Integer, Added> e : tokenizer.added().entrySet()) {
      Added token = e.getValue();
      boolean spaced = token.normalized() && !byteLevel;
      set(
          e.getKey(),
          spaced ? token.content().replace('\u2581', ' ') : token.content(),
          token.special() ? CONTROL : USER_DEFINED);
      if (!token.plain()) {
        wordLike.add(token.content());
      }
    }
    if (!byteLevel) {
      OptionalInt unknown = inModel("unk_token", tokenizer.model().text("unk_token", ""));
      unknown.ifPresent(id -> types[id] = UNKNOWN);
      unknown.ifPresent(id -> metadata.u32(PREFIX + "unknown_token_id", id));
    }
    for (int id = 0; id < tokens.length; id++) {
      if (types[id] == UNUSED) {
        tokens[id] = "[PAD%d]".formatted(id);
      }
    }
    if (!wordLike.isEmpty()) {
      warnings.add(
          "%d added tokens swallow the spaces around them or match whole words only, which llama.cpp does not know: %s"
              .formatted(wordLike.size(), wordLike.subList(0, Math.min(SHOWN, wordLike.size()))));
    }
  }

  private void set(int id, String token, int type) {
    if (id >= tokens.length) {
      surplus.put(id, token); // llama.cpp has as many tokens as the embedding has rows
      return;
    }
    tokens[id] = token;
    types[id] = type;
  }

  private void warnOfSurplus() {
    if (!surplus.isEmpty()) {
      List<String> shown = surplus.values().stream().limit(SHOWN).toList();
      warnings.add(
          "the tokenizer has %d more tokens than the model has embeddings, %d; left out, as a text that holds them could not be computed anyway: %s"
              .formatted(surplus.size(), tokens.length, shown));
    }
  }

  private void addMerges() {
    if (tokenizer.merges().isEmpty()) {
      throw tokenizer.model().wrong("merges", "at least one");
    }
    metadata.texts(
        PREFIX + "merges",
        tokenizer.merges().stream()
            .filter(m -> !surplus.containsValue(m.joined()))
            .map(m -> m.left().replace(' ', '\u0120') + " " + m.right().replace(' ', '\u0120'))
            .toList());
  }

  /** The id of a token by its text. */
  private OptionalInt id(String token) {
    for (Map.Entry<Integer, Added> e : tokenizer.added().entrySet()) {
      if (e.getValue().content().equals(token)) {
        return OptionalInt.of(e.getKey());
      }
    }
    Integer id = tokenizer.vocab().get(token);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  private void addRoles() {
    OptionalInt begin = templateToken(true);
    OptionalInt end = templateToken(false);
    OptionalInt bos = begin.isPresent() ? begin : role("bos_token");
    OptionalInt eos = role("eos_token");
    if (end.isPresent() && !end.equals(eos)) {
      throw new ExportException(
          "%s: \"post_processor\" ends a text with token %d, but eos_token is %s; llama.cpp can end it with eos_token only"
              .formatted(
                  tokenizer.json().file(),
                  end.getAsInt(),
                  eos.isPresent() ? eos.getAsInt() : "none"));
    }
    bos.ifPresent(id -> metadata.u32(PREFIX + "bos_token_id", id));
    addEnds(eos);
    role("pad_token").ifPresent(id -> metadata.u32(PREFIX + "padding_token_id", id));
    metadata.flag(PREFIX + "add_bos_token", begin.isPresent());
    metadata.flag(PREFIX + "add_eos_token", end.isPresent());
  }

  /**
   * The tokens that end a text: that of the tokenizer, and those of generation_config.json, or
   * config.json where that says nothing. llama.cpp takes three, and those that it knows by their
   * text.
   */
  private void addEnds(OptionalInt eos) {
    Set<Integer> ends = new LinkedHashSet<>();
    eos.ifPresent(ends::add);
    ends.addAll(ids("generation_config.json").or(() -> ids("config.json")).orElse(List.of()));
    Iterator<Integer> rest = ends.iterator();
    for (String key : List.of("eos_token_id", "eot_token_id", "eom_token_id")) {
      if (rest.hasNext()) {
        metadata.u32(PREFIX + key, rest.next());
      }
    }
    List<String> unnamed = new ArrayList<>();
    rest.forEachRemaining(id -> unnamed.add(tokens[id]));
    if (!unnamed.isEmpty()) {
      warnings.add(
          "generation ends at %d tokens, and GGUF names three; llama.cpp may run on behind %s"
              .formatted(ends.size(), unnamed));
    }
  }

  /** The tokens of the model that a file's eos_token_id lists; empty when it has no such key. */
  private Optional<List<Integer>> ids(String file) {
    return JsonFile.readIfPresent(folder.resolve(file))
        .map(json -> json.get("eos_token_id"))
        .filter(ids -> ids.isInt() || ids.isArray())
        .map(ids ->
            (ids.isArray() ? ids.valueStream() : Stream.of(ids))
                .filter(JsonNode::isInt)
                .map(JsonNode::asInt)
                .filter(id -> id >= 0 && id < tokens.length)
                .toList());
  }

  /** The token that the post-processor puts before or behind a text. */
  private OptionalInt templateToken(boolean before) {
    List<String> found = new ArrayList<>();
    for (JsonNode part : tokenizer.parts("post_processor", "processors")) {
      switch (part.path("type").asString("")) {
        case "ByteLevel" -> {} // changes offsets alone
        case "TemplateProcessing" -> {
          boolean passed = false;
          for (JsonNode piece : part.path("single")) {
            passed |= piece.has("Sequence");
            if (piece.has("SpecialToken") && passed != before) {
              found.add(piece.path("SpecialToken").path("id").asString(""));
            }
          }
        }
        default -> throw tokenizer.json().wrong("post_processor", "ByteLevel, TemplateProcessing");
      }
    }
    if (found.size() > 1) {
      throw tokenizer.json().wrong("post_processor", "one token before the text and one behind it");
    }
    return found.isEmpty()
        ? OptionalInt.empty()
        : inModel("the token of post_processor", found.getFirst());
  }

  /** The id of a token with a role, which needs an embedding unless it is mere padding. */
  private OptionalInt inModel(String role, String token) {
    OptionalInt id = id(token);
    if (id.isEmpty() || id.getAsInt() < tokens.length) {
      return id;
    }
    if (!role.equals("pad_token")) {
      throw new ExportException(
          "%s: %s is '%s' with id %d, but the model has only %d embeddings"
              .formatted(folder, role, token, id.getAsInt(), tokens.length));
    }
    return OptionalInt.empty();
  }

  /** As tokenizer_config.json, special_tokens_map.json or config.json has it, in this order. */
  private OptionalInt role(String role) {
    for (String name : List.of("tokenizer_config.json", "special_tokens_map.json")) {
      Optional<JsonNode> entry =
          JsonFile.readIfPresent(folder.resolve(name)).map(json -> json.get(role));
      String token =
          entry.map(e -> e.isObject() ? e.path("content").asString("") : e.asString("")).orElse("");
      if (!token.isEmpty()) {
        return inModel(role, token);
      }
    }
    JsonNode id = JsonFile.read(folder.resolve("config.json")).get(role + "_id");
    JsonNode first = id.isArray() ? id.path(0) : id;
    return first.isInt() && first.asInt() >= 0 && first.asInt() < tokens.length
        ? OptionalInt.of(first.asInt())
        : OptionalInt.empty();
  }
}
