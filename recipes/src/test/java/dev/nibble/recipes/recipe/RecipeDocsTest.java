package dev.nibble.recipes.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class RecipeDocsTest {

  /**
   * {@code mvn -pl recipes -am test -Dtest=RecipeDocsTest -Ddocs.write=true …} writes the page
   * anew.
   */
  @Test
  void thePageIsMadeFromTheTable() throws IOException {
    Path page = Path.of(System.getProperty("nibble.root"), "docs", "recipes.md");
    String expected = RecipeDocs.markdown();
    if (Boolean.getBoolean("docs.write")) {
      Files.createDirectories(page.getParent());
      Files.writeString(page, expected);
    }
    assertThat(Files.readString(page))
        .as("docs/recipes.md; -Ddocs.write=true writes it anew")
        .isEqualTo(expected);
  }
}
