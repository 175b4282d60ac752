package dev.nibble.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Member;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The public API is the one that {@code public-api.txt} lists: every public type of a package that
 * is not marked {@code @nibble.internal}, with its public members, and the internal types that they
 * name.
 */
class PublicApiTest {
  private static final Path ROOT = Path.of(System.getProperty("nibble.root"));
  private static final Path LISTED =
      ROOT.resolve("cli/src/test/resources/dev/nibble/cli/public-api.txt");
  private static final List<String> MODULES =
      List.of(
          "errors", "compute", "quant", "adapters", "jinja", "data", "trainer", "recipes", "api");
  private static final Set<String> OF_EVERY_TYPE =
      Set.of("equals", "hashCode", "toString", "values", "valueOf");
  private static final Pattern OURS = Pattern.compile("dev\\.nibble\\.[a-z0-9.]+(?:[A-Z][\\w$]*)");

  @Test
  void isTheListedOne() throws IOException {
    String found = String.join("\n", lines()) + "\n";
    Path actual = Files.writeString(ROOT.resolve("cli/target/public-api.txt"), found);
    assertThat(found)
        .as("where the change is meant, copy %s to %s", actual, LISTED)
        .isEqualTo(Files.readString(LISTED));
  }

  private static List<String> lines() throws IOException {
    Map<String, Class<?>> types = new TreeMap<>();
    NavigableSet<String> internal = new TreeSet<>();
    NavigableSet<String> packages = publicPackages();
    for (JavaClass type : classes()) {
      if (packages.contains(type.getPackageName())) {
        Class<?> reflected = type.reflect();
        if (isPublic(reflected)) {
          types.put(reflected.getName(), reflected);
        }
      }
    }
    List<String> lines = new ArrayList<>();
    types.forEach((name, type) -> {
      lines.add(name);
      members(type).forEach(m -> lines.add("  " + withoutPackages(m, packages, internal)));
    });
    lines.add("");
    lines.add("Internal types that they name:");
    internal.forEach(type -> lines.add("  " + type));
    return lines;
  }

  private static Iterable<JavaClass> classes() {
    return new ClassFileImporter()
        .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
        .withImportOption(location -> !location.contains("-tests.jar"))
        .importPackages("dev.nibble");
  }

  /** The packages of the library that are not marked as internal. */
  private static NavigableSet<String> publicPackages() throws IOException {
    NavigableSet<String> packages = new TreeSet<>();
    for (String module : MODULES) {
      Path sources = ROOT.resolve(module + "/src/main/java");
      try (Stream<Path> files = Files.walk(sources)) {
        for (Path file : files.filter(f -> f.endsWith("package-info.java")).toList()) {
          if (!Files.readString(file).contains("@nibble.internal")) {
            packages.add(sources.relativize(file.getParent()).toString().replace('/', '.'));
          }
        }
      }
    }
    return packages;
  }

  private static boolean isPublic(Class<?> type) {
    for (Class<?> t = type; t != null; t = t.getEnclosingClass()) {
      if (!Modifier.isPublic(t.getModifiers())) {
        return false;
      }
    }
    return true;
  }

  private static NavigableSet<String> members(Class<?> type) {
    NavigableSet<String> members = new TreeSet<>();
    for (Constructor<?> c : type.getDeclaredConstructors()) {
      add(c, c.toGenericString(), members);
    }
    for (Method m : type.getDeclaredMethods()) {
      add(m, m.toGenericString(), members);
    }
    for (Field f : type.getDeclaredFields()) {
      add(f, f.toGenericString(), members);
    }
    return members;
  }

  private static void add(Member member, String text, NavigableSet<String> members) {
    boolean visible =
        Modifier.isPublic(member.getModifiers()) || Modifier.isProtected(member.getModifiers());
    if (visible && !member.isSynthetic() && !OF_EVERY_TYPE.contains(member.getName())) {
      members.add(text);
    }
  }

  /** The text with simple names, noting internal types of ours. */
  private static String withoutPackages(
      String text, NavigableSet<String> packages, NavigableSet<String> internal) {
    OURS.matcher(text)
        .results()
        .map(found -> found.group().replace('$', '.'))
        .filter(
            name -> !packages.contains(name.substring(0, name.lastIndexOf('.', firstUpper(name)))))
        .forEach(internal::add);
    return text.replaceAll("\\b[a-z][a-z0-9]*(?:\\.[a-z][a-z0-9]*)*\\.(?=[A-Z])", "");
  }

  private static int firstUpper(String name) {
    for (int i = 0; i < name.length(); i++) {
      if (Character.isUpperCase(name.charAt(i))) {
        return i;
      }
    }
    return name.length();
  }
}
