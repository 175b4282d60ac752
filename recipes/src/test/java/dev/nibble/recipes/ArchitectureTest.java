package dev.nibble.recipes;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The arrows of docs/architecture.md, and the packages that third-party types stay in. */
class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .withImportOption(location -> !location.contains("-tests.jar"))
          .importPackages("dev.nibble");

  @Test
  void seesAllModules() {
    for (String module :
        new String[] {"compute", "quant", "adapters", "data", "trainer", "recipes"}) {
      assertThat(
              CLASSES.stream().filter(c -> c.getPackageName().startsWith("dev.nibble." + module)))
          .as(module)
          .isNotEmpty();
    }
  }

  @Test
  void arrowsPointOneWay() {
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .layer("compute")
        .definedBy("dev.nibble.compute..")
        .layer("quant")
        .definedBy("dev.nibble.quant..")
        .layer("adapters")
        .definedBy("dev.nibble.adapters..")
        .layer("data")
        .definedBy("dev.nibble.data..")
        .layer("trainer")
        .definedBy("dev.nibble.trainer..")
        .layer("recipes")
        .definedBy("dev.nibble.recipes..")
        .whereLayer("compute")
        .mayNotAccessAnyLayer()
        .whereLayer("quant")
        .mayOnlyAccessLayers("compute")
        .whereLayer("adapters")
        .mayOnlyAccessLayers("quant", "compute")
        .whereLayer("data")
        .mayNotAccessAnyLayer()
        .whereLayer("trainer")
        .mayOnlyAccessLayers("data", "adapters", "quant", "compute")
        .check(CLASSES);
  }

  @Test
  void thereAreNoCycles() {
    slices().matching("dev.nibble.(**)").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void kernelsDoNotKnowTheirImplementations() {
    noClasses()
        .that()
        .resideInAnyPackage("dev.nibble.compute.kernels", "dev.nibble.compute.tensor")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.nibble.compute.kernels.*..")
        .check(CLASSES);
  }

  @ParameterizedTest
  @CsvSource({
    "org.nd4j.., dev.nibble.compute.kernels.nd4j..",
    "org.bytedeco.., dev.nibble.compute.kernels..",
    "jdk.incubator.vector.., dev.nibble.compute.kernels.cpu..",
    "org.apache.arrow.., dev.nibble.data.arrow..",
    "org.ejml.., dev.nibble.adapters.linalg..",
    "ai.djl.., dev.nibble.data.tokenizer..",
    "org.tribuo.., dev.nibble.trainer.evaluation..",
    "picocli.., dev.nibble.recipes.cli..",
    "org.jline.., dev.nibble.recipes.cli..",
    "tools.jackson.dataformat.yaml.., dev.nibble.recipes.yaml..",
    "org.snakeyaml.., dev.nibble.recipes.yaml.."
  })
  void thirdPartyTypesStayInOnePlace(String library, String owner) {
    noClasses()
        .that()
        .resideOutsideOfPackage(owner)
        .should()
        .dependOnClassesThat()
        .resideInAPackage(library)
        .check(CLASSES);
  }

  @Test
  void nativeFunctionsAreCalledInOnePlaceForEachLibrary() {
    noClasses()
        .that()
        .resideOutsideOfPackages(
            "dev.nibble.compute.kernels.cpu.onednn..",
            "dev.nibble.compute.kernels.cuda.driver..",
            "dev.nibble.compute.kernels.cuda.cublas..")
        .and()
        .doNotHaveFullyQualifiedName("dev.nibble.recipes.cli.StandardError") // one call, dup2
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName("java.lang.foreign.Linker")
        .check(CLASSES);
  }

  @Test
  void configStopsAtTheDoor() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.nibble.recipes..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.nibble.recipes..")
        .check(CLASSES);
  }

  @Test
  void onlyRecipesSpeakToTheUser() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.nibble.recipes..")
        .should(ACCESS_STANDARD_STREAMS)
        .check(CLASSES);
  }
}
