package dev.nibble.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.constantpool.StringEntry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/**
 * Below the recipes, messages state facts and carry a {@link dev.nibble.errors.Remedy}: what a
 * setting is called in a recipe or on the command line is not known there.
 */
class RecipeWordsTest {
  /** Keys that model files have too, under the same name. */
  private static final Set<String> OF_MODEL_FILES = Set.of("chat_template", "load_in_4bit");

  private static final Pattern KEY_IN_DOCS = Pattern.compile("(?m)^\\| `([a-z0-9_]+)`");

  @Test
  void messagesBelowRecipesHaveNoWordsOfRecipes() throws IOException {
    Pattern words = wordsOfRecipes();
    Set<String> found = new TreeSet<>();
    int messages = 0;
    for (JavaClass c :
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .withImportOption(location -> !location.contains("-tests.jar"))
            .importPackages(
                "dev.nibble.errors",
                "dev.nibble.compute",
                "dev.nibble.quant",
                "dev.nibble.adapters",
                "dev.nibble.data",
                "dev.nibble.trainer")) {
      for (String text : sentences(c)) {
        messages++;
        if (words.matcher(text).find()) {
          found.add(c.getSimpleName() + ": " + text);
        }
      }
    }
    assertThat(messages).isGreaterThan(300);
    assertThat(found).isEmpty();
  }

  @Test
  void theWordsAreThoseOfTheDocumentation() throws IOException {
    assertThat(wordsOfRecipes().matcher("lower sequence_len or lora_r").find()).isTrue();
    assertThat(wordsOfRecipes().matcher("write bf16: auto").find()).isTrue();
    assertThat(wordsOfRecipes().matcher("or pass --overwrite").find()).isTrue();
    assertThat(wordsOfRecipes().matcher("the sequence has 3 tokens").find()).isFalse();
  }

  /** Keys of two words anywhere, keys of one word where a colon follows, and options. */
  private static Pattern wordsOfRecipes() throws IOException {
    Path docs = Path.of(System.getProperty("nibble.root"), "docs", "recipes.md");
    Matcher keys = KEY_IN_DOCS.matcher(Files.readString(docs));
    String any =
        keys.results()
            .map(r -> r.group(1))
            .filter(key -> !OF_MODEL_FILES.contains(key))
            .map(key -> key.contains("_") ? "\\b" + key + "\\b" : "(write|set|with) '?" + key + ":")
            .collect(Collectors.joining("|"));
    return Pattern.compile(any + "|--(overwrite|resume|set|merged|gguf)\\b|\\bnibble [a-z]+`");
  }

  /** String constants of a class with a space in them; others are names of files, keys or parts. */
  private static List<String> sentences(JavaClass c) throws IOException {
    try (InputStream in = c.getSource().orElseThrow().getUri().toURL().openStream()) {
      return StreamSupport.stream(
              ClassFile.of().parse(in.readAllBytes()).constantPool().spliterator(), false)
          .filter(StringEntry.class::isInstance)
          .map(entry -> ((StringEntry) entry).stringValue())
          .filter(text -> text.contains(" "))
          .toList();
    }
  }
}
