package dev.nibble.data.rows;

import java.util.Collection;
import java.util.Optional;
import java.util.Set;

/**
 * The columns that are read of a source. The others are skipped as cheaply as the file allows, and
 * cannot make it unreadable.
 *
 * @param names names of the columns; empty for all
 */
public record Projection(Optional<Set<String>> names) {
  /** Every column. */
  public static final Projection ALL = new Projection(Optional.empty());

  public Projection {
    names = names.map(Set::copyOf);
  }

  /** These columns, as far as a source has them. */
  public static Projection of(Collection<String> names) {
    return new Projection(Optional.of(Set.copyOf(names)));
  }

  /** Whether a column is read. */
  public boolean reads(String column) {
    return names.isEmpty() || names.get().contains(column);
  }
}
