package dev.nibble.trainer.run;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SequencedSet;

/**
 * The settings that decide a run's result, by the names that whoever sets them knows them by.
 *
 * @param decisive values in text
 * @param length limits of the run's length, which may be raised later; one that is absent is no
 *     limit
 */
public record RunSettings(
    SequencedMap<String, String> decisive, SequencedMap<String, Long> length) {

  /** Copies the maps. */
  public RunSettings {
    decisive = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(decisive));
    length = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(length));
  }

  /** Why a run with these settings cannot go on with others: names with both values. */
  List<String> differences(RunSettings now) {
    List<String> differences = new ArrayList<>();
    for (String name : names(decisive, now.decisive)) {
      String then = decisive.getOrDefault(name, "not set");
      String later = now.decisive.getOrDefault(name, "not set");
      if (!then.equals(later)) {
        differences.add("%s: %s there, %s now".formatted(name, then, later));
      }
    }
    for (String name : names(length, now.length)) {
      Optional<Long> then = Optional.ofNullable(length.get(name));
      Optional<Long> later = Optional.ofNullable(now.length.get(name));
      if (later.isPresent() && then.map(t -> later.get() < t).orElse(true)) {
        differences.add(
            "%s: %s there, %d now; a run can be made longer, not shorter"
                .formatted(name, then.map(String::valueOf).orElse("no limit"), later.get()));
      }
    }
    return differences;
  }

  private static SequencedSet<String> names(Map<String, ?> a, Map<String, ?> b) {
    SequencedSet<String> names = new LinkedHashSet<>(a.keySet());
    names.addAll(b.keySet());
    return names;
  }
}
