package dev.nibble.recipes.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.recipes.yaml.Origin;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ShippedRecipesTest {
  private static final Path ROOT =
      Path.of(System.getProperty("nibble.root")).toAbsolutePath().normalize();

  static List<Path> recipes() throws IOException {
    List<Path> recipes = new ArrayList<>();
    for (String folder : List.of("recipes", "recipes/studies")) {
      try (Stream<Path> files = Files.list(ROOT.resolve(folder))) {
        files.filter(f -> f.toString().endsWith(".yaml")).sorted().forEach(recipes::add);
      }
    }
    assertThat(recipes).hasSizeGreaterThanOrEqualTo(6);
    return recipes;
  }

  @ParameterizedTest
  @MethodSource("recipes")
  void canBeReadAndWritten(Path file) {
    Recipe recipe = Recipes.read(file, List.of());
    assertThat(Recipes.parse(Origin.file(file), Recipes.resolved(recipe), List.of()))
        .isEqualTo(recipe);
  }

  @ParameterizedTest
  @MethodSource("recipes")
  void namesOnlyFilesThatAreShipped(Path file) {
    Recipe recipe = Recipes.read(file, List.of());
    Stream.concat(
            Stream.of(recipe.model().base()),
            Stream.of(
                    recipe.data().train().stream(),
                    recipe.data().validation().stream(),
                    recipe.evaluation().answers().stream().map(Recipe.AnswerEval::dataset))
                .flatMap(d -> d)
                .map(Recipe.Dataset::path))
        .filter(path -> path.startsWith(ROOT))
        .forEach(path -> assertThat(path).exists());
  }
}
