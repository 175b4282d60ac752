package dev.nibble.compute.kernels;

import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

/** The kernel sets on the class path, found as services. */
public final class KernelSets {
  /** From the fastest on; a set that is not named here comes last. */
  private static final List<String> PREFERENCE = List.of("cuda", "cpu", "nd4j");

  private KernelSets() {}

  /** All sets, the preferred first, whether or not they can run here. */
  public static List<KernelSet> all() {
    return ServiceLoader.load(KernelSet.class).stream()
        .map(ServiceLoader.Provider::get)
        .sorted(Comparator.comparingInt(KernelSets::rank).thenComparing(KernelSet::name))
        .toList();
  }

  private static int rank(KernelSet set) {
    int index = PREFERENCE.indexOf(set.name());
    return index < 0 ? PREFERENCE.size() : index;
  }

  /**
   * The set of a name, or with {@code auto} the preferred one of those that can run here.
   *
   * @throws KernelUnavailable when there is none, listing every set and why it cannot run
   */
  public static KernelSet choose(String name) {
    return choose(name, all());
  }

  static KernelSet choose(String name, List<KernelSet> sets) {
    return sets.stream()
        .filter(set -> name.equals("auto") || set.name().equals(name))
        .filter(set -> set.unavailableBecause().isEmpty())
        .findFirst()
        .orElseThrow(
            () ->
                new KernelUnavailable(
                    (name.equals("auto")
                            ? "no kernel set can run here:%n"
                            : "the kernel set '" + name + "' cannot run here:%n").formatted()
                        + reasons(name, sets)));
  }

  private static String reasons(String name, List<KernelSet> sets) {
    String reasons =
        sets.stream()
            .map(
                set ->
                    "  %s: %s"
                        .formatted(set.name(), set.unavailableBecause().orElse("can run here")))
            .collect(Collectors.joining(System.lineSeparator()));
    boolean known = name.equals("auto") || sets.stream().anyMatch(s -> s.name().equals(name));
    return known
        ? reasons
        : "  %s: this build has no such set%n".formatted(name) + reasons;
  }
}
