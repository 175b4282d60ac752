package dev.nibble.data.rows;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Several sources, one after another.
 *
 * @param describe name of the sequence for messages
 * @param shards the sources in order, at least one
 */
public record RowSequence(String describe, List<RowSource> shards) implements RowSource {
  public RowSequence {
    if (shards.isEmpty()) {
      throw new IllegalArgumentException(describe + ": no sources");
    }
    shards = shards.stream().flatMap(s -> s.shards().stream()).toList();
  }

  @Override
  public List<String> columns() {
    return shards.getFirst().columns();
  }

  @Override
  public RowSource only(Projection columns) {
    return new RowSequence(describe, shards.stream().map(s -> s.only(columns)).toList());
  }

  @Override
  public RowCursor open() {
    return new Cursor(shards);
  }

  private static final class Cursor implements RowCursor {
    private final List<RowSource> shards;
    private int next;
    private @Nullable RowCursor current;

    Cursor(List<RowSource> shards) {
      this.shards = shards;
    }

    @Override
    public boolean advance() {
      while (true) {
        if (current != null && current.advance()) {
          return true;
        }
        close();
        if (next == shards.size()) {
          return false;
        }
        current = shards.get(next++).open();
      }
    }

    @Override
    public Row row() {
      if (current == null) {
        throw new IllegalStateException("no current row");
      }
      return current.row();
    }

    @Override
    public void close() {
      if (current != null) {
        current.close();
        current = null;
      }
    }
  }
}
