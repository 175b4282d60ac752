package dev.nibble.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Commands in the documentation: each is one that the command line takes, down to its options. */
class DocumentedCommandsTest {
  private static final Path ROOT = Path.of(System.getProperty("nibble.root"));

  /** Commands in blocks, in cells of tables and in the comments of recipes. */
  private static final Pattern COMMAND =
      Pattern.compile("(?m)(?:^ *|^# +|\\| `|[A-Z_]+=\\S+ )(?:\\./)?nibble ([a-z][^`|#\\n]*)");

  private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|'([^']*)'|(\\S+)");

  private static List<Path> pages() throws IOException {
    List<Path> pages = new ArrayList<>(List.of(ROOT.resolve("README.md")));
    for (String folder : List.of("docs", "examples", "recipes")) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(folder))) {
        files
            .filter(f -> f.toString().matches(".*\\.(md|yaml)"))
            .filter(f -> !f.toString().contains("/target/") && !f.toString().contains("/src/"))
            .forEach(pages::add);
      }
    }
    return pages;
  }

  @Test
  void areAllUnderstood() throws IOException {
    int commands = 0;
    for (Path page : pages()) {
      String text = Files.readString(page).replaceAll("\\\\\\n *", "");
      Matcher matcher = COMMAND.matcher(text);
      while (matcher.find()) {
        // In a recipe's comments, an explanation follows behind a gap.
        String command = matcher.group(1).strip().split(" {3,}", 2)[0];
        if (!command.contains(" ")) {
          assertThat(Main.commandLine().getSubcommands()).as(page.toString()).containsKey(command);
          continue; // named, not written out
        }
        assertThatCode(() -> Main.commandLine().parseArgs(words(command)))
            .as(page + ": nibble " + command)
            .doesNotThrowAnyException();
        commands++;
      }
    }
    assertThat(commands).isGreaterThan(30);
  }

  private static String[] words(String command) {
    return WORD.matcher(command)
        .results()
        .map(m -> m.group().replaceAll("^[\"']|[\"']$", ""))
        .toArray(String[]::new);
  }

  @Test
  void theReadmeShowsLinesOfTheRecipeThatItNames() throws IOException {
    String readme = Files.readString(ROOT.resolve("README.md"));
    String recipe = Files.readString(ROOT.resolve("recipes/llama-7b-qlora.yaml"));
    Matcher block = Pattern.compile("(?s) *```yaml\\n(.*?)```").matcher(readme);
    assertThat(block.find()).isTrue();
    assertThat(recipe.lines())
        .containsAll(block.group(1).stripIndent().lines().filter(l -> !l.isBlank()).toList());
  }
}
