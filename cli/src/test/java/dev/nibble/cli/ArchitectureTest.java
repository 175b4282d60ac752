package dev.nibble.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.nibble.errors.NibbleException;
import dev.nibble.trainer.run.MetricsLog;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The arrows of docs/architecture.md, and the packages that third-party types stay in. */
class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .withImportOption(location -> !location.contains("-tests.jar"))
          .importPackages("dev.nibble");

  /** Each module, and those that it may use. */
  private static final Map<String, String> ARROWS =
      Map.of(
          "errors", "",
          "compute", "errors",
          "quant", "compute errors",
          "adapters", "quant compute errors",
          "jinja", "",
          "data", "jinja errors",
          "trainer", "adapters quant compute data jinja errors",
          "recipes", "trainer adapters quant compute data jinja errors",
          "api", "recipes trainer adapters quant compute data jinja errors",
          "cli", "api recipes trainer adapters quant compute data jinja errors");

  static Set<String> modules() {
    return ARROWS.keySet();
  }

  @ParameterizedTest
  @MethodSource("modules")
  void seesAllModules(String module) {
    assertThat(CLASSES.stream().filter(c -> c.getPackageName().startsWith("dev.nibble." + module)))
        .isNotEmpty();
  }

  @ParameterizedTest
  @MethodSource("modules")
  void arrowsPointOneWay(String module) {
    Set<String> used = Set.of(requireNonNull(ARROWS.get(module)).split(" "));
    String[] others =
        ARROWS.keySet().stream()
            .filter(other -> !other.equals(module) && !used.contains(other))
            .map(other -> "dev.nibble." + other + "..")
            .toArray(String[]::new);
    noClasses()
        .that()
        .resideInAPackage("dev.nibble." + module + "..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(others)
        .check(CLASSES);
  }

  @Test
  void jinjaNeedsTheJdkAlone() {
    noClasses()
        .that()
        .resideInAPackage("dev.nibble.jinja..")
        .should()
        .dependOnClassesThat()
        .resideOutsideOfPackages("dev.nibble.jinja..", "java..", "org.jspecify..")
        .check(CLASSES);
  }

  @Test
  void thereAreNoCycles() {
    slices().matching("dev.nibble.(**)").should().beFreeOfCycles().check(CLASSES);
  }

  /** Apart from an error of the JVM's own kind, and those of the Jinja interpreter. */
  @Test
  void exceptionsSayWhoseFaultTheyAre() {
    classes()
        .that()
        .areAssignableTo(Throwable.class)
        .and()
        .areNotAssignableTo(OutOfMemoryError.class)
        .and()
        .resideOutsideOfPackages("dev.nibble.jinja..")
        .should()
        .beAssignableTo(NibbleException.class)
        .check(CLASSES);
  }

  /** What callers see of a model, below what reads its config, its layers, and what builds it. */
  @Test
  void modelsAreBuiltOfLayersAndLayersOfConfigs() {
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .layer("model")
        .definedBy("dev.nibble.trainer.model")
        .layer("config")
        .definedBy("dev.nibble.trainer.model.config")
        .layer("layers")
        .definedBy("dev.nibble.trainer.model.layers")
        .layer("build")
        .definedBy("dev.nibble.trainer.model.build")
        .whereLayer("model")
        .mayNotAccessAnyLayer()
        .whereLayer("config")
        .mayOnlyAccessLayers("model")
        .whereLayer("layers")
        .mayOnlyAccessLayers("config", "model")
        .check(CLASSES);
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

  /** An operation is in the package of its theme in each set; a set's tools know no theme. */
  @ParameterizedTest
  @CsvSource({
    "MovingKernels, moving",
    "NormKernels, norms",
    "AttentionKernels, attention",
    "ProductKernels, products",
    "PointwiseKernels, pointwise",
    "LossKernels, loss",
    "OptimizerKernels, optimizers"
  })
  void setsHaveTheSameThemes(String theme, String place) {
    for (String set : List.of("cpu", "cuda")) {
      classes()
          .that()
          .implement("dev.nibble.compute.kernels." + theme)
          .and()
          .resideInAPackage("dev.nibble.compute.kernels." + set + "..")
          .should()
          .resideInAPackage("dev.nibble.compute.kernels." + set + "." + place)
          .check(CLASSES);
      noClasses()
          .that()
          .resideInAPackage("dev.nibble.compute.kernels." + set + ".work")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("dev.nibble.compute.kernels." + set + "." + place)
          .check(CLASSES);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "org.nd4j.., dev.nibble.compute.kernels.nd4j..",
    "org.bytedeco.., dev.nibble.compute.kernels..",
    "jdk.incubator.vector.., dev.nibble.compute.kernels.cpu..",
    "org.apache.arrow.., dev.nibble.data.arrow..",
    "org.ejml.., dev.nibble.quant.linalg..",
    "ai.djl.., dev.nibble.data.tokenizer..",
    "org.tribuo.., dev.nibble.trainer.evaluation..",
    "picocli.., dev.nibble.cli..",
    "org.jline.., dev.nibble.cli.input..",
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
        .doNotHaveFullyQualifiedName("dev.nibble.cli.StandardError") // one call, dup2
        .and()
        .haveNameNotMatching(
            "dev\\.nibble\\.cli\\.terminal\\.WindowSize\\$Ioctl") // one call, ioctl
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName("java.lang.foreign.Linker")
        .check(CLASSES);
  }

  @Test
  void onlyTheCommandLineSpeaksToTheUser() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.nibble.cli..")
        .and()
        // A program of its own, whose standard streams are the pipes to the one that started it.
        .doNotHaveSimpleName("TokenizerProcess")
        .should(ACCESS_STANDARD_STREAMS)
        .check(CLASSES);
  }

  /** Whoever sets the clock changes a record, no duration and no decision. */
  @Test
  void theTimeOfDayIsOnlyWrittenDown() {
    DescribedPredicate<JavaCall<?>> asksForIt =
        DescribedPredicate.describe(
            "asks for the time of day",
            call -> {
              String owner = call.getTargetOwner().getName();
              return call.getName().equals("currentTimeMillis")
                  || call.getName().equals("getLastModifiedTime")
                  || (owner.startsWith("java.time.") && call.getName().equals("now"));
            });
    noClasses()
        .that()
        .haveNameNotMatching(".*\\.(MetricsLog|RunRecords|Wiring)")
        .should()
        .callMethodWhere(asksForIt)
        .check(CLASSES);
    assertThat(CLASSES.get(MetricsLog.class).getMethodCallsFromSelf()).anyMatch(asksForIt);
  }
}
