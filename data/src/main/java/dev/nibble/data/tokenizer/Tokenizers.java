package dev.nibble.data.tokenizer;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Tokenizers of models, from their folders. */
public final class Tokenizers {
  private Tokenizers() {}

  /**
   * Opens {@code tokenizer.json} in a model folder, with the special tokens that the configuration
   * files beside it name. Which tokens are put around a text is what its post-processor says, as in
   * transformers: {@code add_bos_token} and {@code add_eos_token} of tokenizer_config.json are for
   * tokenizers without this file. Truncation and padding that it asks for are switched off.
   *
   * @throws InvalidTokenizer when it is missing or cannot be used
   */
  public static Tokenizer open(Path folder) {
    Path file = folder.resolve("tokenizer.json");
    if (!Files.isDirectory(folder)) {
      throw new InvalidTokenizer(folder + ": there is no such folder; expected a model folder.");
    }
    if (!Files.isRegularFile(file)) {
      throw new InvalidTokenizer(
          "%s: there is no tokenizer.json%s. Convert the tokenizer (in Python: AutoTokenizer.from_pretrained(folder).save_pretrained(folder)) or copy the file from the model."
              .formatted(folder, others(folder)));
    }
    String json = read(file);
    RoleNames roles = RoleNames.read(folder);
    AddedTokens tokens = AddedTokens.read(folder);
    Set<String> wanted = new HashSet<>(roles.tokens());
    wanted.addAll(tokens.tokens());
    Vocabulary vocabulary = Vocabulary.read(file, json, wanted);
    AddedTokens.Complete complete = tokens.complete(file, json, vocabulary);
    if (!complete.json().equals(json)) {
      vocabulary = Vocabulary.read(file, complete.json(), wanted);
    }
    SpecialTokens special = roles.resolve(vocabulary);
    int size =
        IntStream.of(complete.size(), special.bos().orElse(-1) + 1, special.eos().orElse(-1) + 1)
            .max()
            .getAsInt();
    Tokenizer tokenizer = tokenizer(file, complete.json(), size, special, vocabulary.hazards());
    try {
      checkIds(file, vocabulary, tokenizer);
      return tokenizer;
    } catch (RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  /**
   * The same beside a model with so many rows in its embedding. The tokenizer may have more tokens,
   * as long as no text holds one of them: Gemma 3's released ones do.
   *
   * @throws InvalidTokenizer as {@link #open(Path)}, and when the model has no row for the token
   *     that ends a sequence
   */
  public static Tokenizer open(Path folder, int embeddings) {
    Tokenizer tokenizer = open(folder);
    try {
      return tokenizer.vocabSize() > embeddings
          ? new BoundedTokenizer(tokenizer, embeddings)
          : tokenizer;
    } catch (RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  /** The native library within this process, unless it may panic. */
  private static Tokenizer tokenizer(
      Path file, String json, int size, SpecialTokens special, List<String> hazards) {
    if (!hazards.isEmpty()) {
      return new IsolatedTokenizer(file, json, size, special, String.join("; ", hazards));
    }
    return new LongTexts(
        new NativeTokenizer(file, json, size, special),
        () ->
            new IsolatedTokenizer(
                file, json, size, special, "a long run of the same kind of characters"));
  }

  /** Other forms of a tokenizer, which are not read. */
  private static String others(Path folder) {
    String found =
        Stream.of("tokenizer.model", "spiece.model", "vocab.json", "merges.txt", "vocab.txt")
            .filter(name -> Files.exists(folder.resolve(name)))
            .collect(Collectors.joining(", "));
    return found.isEmpty() ? "" : ", only " + found;
  }

  /** The library numbers added tokens itself; what the file says must be what it does. */
  private static void checkIds(Path file, Vocabulary vocabulary, Tokenizer tokenizer) {
    vocabulary
        .added()
        .forEach((token, added) -> {
          if (added.normalized() || token.isEmpty()) {
            return;
          }
          int[] ids = tokenizer.ids(token, false);
          if (IntStream.of(ids).noneMatch(id -> id == added.id())) {
            throw new InvalidTokenizer(
                "%s: added token '%s' has the id %d, but the vocabulary makes it %s. The file is damaged or was edited; fetch it again."
                    .formatted(file, token, added.id(), Arrays.toString(ids)));
          }
        });
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (CharacterCodingException e) {
      throw new InvalidTokenizer(file + ": is not UTF-8 text. Fetch the file again.", e);
    } catch (IOException e) {
      throw new InvalidTokenizer(file + ": cannot be read: " + e.getMessage(), e);
    }
  }
}
