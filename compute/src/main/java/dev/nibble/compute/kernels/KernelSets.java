package dev.nibble.compute.kernels;

import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

/**
 * The kernel sets on the class path, and the choice of one. A set that is asked for by name and
 * cannot run is an error; {@code auto} passes over sets that cannot run here.
 */
public final class KernelSets {
  /** The name that asks for the fastest set that runs here. */
  public static final String AUTO = "auto";

  private static final List<String> FASTEST_FIRST = List.of("cuda", "cpu", "nd4j");

  private KernelSets() {}

  /** Every set on the class path, the fastest first. */
  public static List<KernelSet> installed() {
    return ServiceLoader.load(KernelSet.class).stream()
        .map(ServiceLoader.Provider::get)
        .sorted(Comparator.comparingInt(KernelSets::rank))
        .toList();
  }

  private static int rank(KernelSet set) {
    int i = FASTEST_FIRST.indexOf(set.name());
    return i < 0 ? FASTEST_FIRST.size() : i;
  }

  /**
   * The set of this name, or with {@code auto} the fastest that runs here.
   *
   * @throws KernelUnavailable when there is none; lists every set and why it cannot run
   */
  public static KernelSet choose(String name) {
    return choose(name, installed());
  }

  /**
   * The set of exactly this name.
   *
   * @throws KernelUnavailable when it is unknown or cannot run here; lists every set and why it
   *     cannot run
   */
  public static KernelSet require(String name) {
    return require(name, installed());
  }

  static KernelSet choose(String name, List<KernelSet> sets) {
    if (!name.equals(AUTO)) {
      return require(name, sets);
    }
    return sets.stream()
        .filter(s -> s.unavailableBecause().isEmpty())
        .findFirst()
        .orElseThrow(() -> new KernelUnavailable("no kernel set can run here:" + reasons(sets)));
  }

  static KernelSet require(String name, List<KernelSet> sets) {
    KernelSet set =
        sets.stream()
            .filter(s -> s.name().equals(name))
            .findFirst()
            .orElseThrow(() ->
                new KernelUnavailable("no kernel set is called " + name + ":" + reasons(sets)));
    if (set.unavailableBecause().isPresent()) {
      throw new KernelUnavailable("kernel set " + name + " cannot run here:" + reasons(sets));
    }
    return set;
  }

  private static String reasons(List<KernelSet> sets) {
    if (sets.isEmpty()) {
      return " none is on the class path; add nibble-compute with its resources";
    }
    return sets.stream()
        .map(s -> "%n  %s: %s".formatted(s.name(), s.unavailableBecause().orElse("can run")))
        .collect(Collectors.joining());
  }

  /** One line for the log: the set and what it computes with. */
  public static String describe(KernelSet chosen) {
    return chosen.name() + ": " + chosen.describe();
  }

  /**
   * Names of the faster sets that {@link #choose} passed over for this name, because they cannot
   * run here.
   */
  public static List<String> skipped(String name, KernelSet chosen) {
    return skipped(name, chosen, installed());
  }

  static List<String> skipped(String name, KernelSet chosen, List<KernelSet> sets) {
    return name.equals(AUTO)
        ? sets.stream()
            .map(KernelSet::name)
            .takeWhile(other -> !other.equals(chosen.name()))
            .toList()
        : List.of();
  }
}
