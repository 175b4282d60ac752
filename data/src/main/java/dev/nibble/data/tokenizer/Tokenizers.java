package dev.nibble.data.tokenizer;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Opens the tokenizer of a model. */
public final class Tokenizers {
  private Tokenizers() {}

  /**
   * Opens {@code tokenizer.json} in a model folder, with the special tokens that the configuration
   * files beside it name.
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
          folder
              + ": there is no tokenizer.json. Convert the tokenizer (in Python: "
              + "AutoTokenizer.from_pretrained(folder).save_pretrained(folder)) or copy the file from the model.");
    }
    String json = read(file);
    RoleNames roles = RoleNames.read(folder);
    Vocabulary vocabulary = Vocabulary.read(file, json, roles.tokens());
    return new NativeTokenizer(file, json, vocabulary.size(), roles.resolve(vocabulary));
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
