package dev.nibble.trainer.optim;

import dev.nibble.adapters.Parameters;
import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.adapters.Parameters.Range;
import dev.nibble.compute.kernels.DynamicMap;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Which state lies where. Parameters follow each other as in {@link Parameters#all}; neighbours
 * that are treated alike and have the same fields make one part, and each field of a part lies in
 * one piece. Blocks of 8-bit codes begin with a parameter: one whose size is not a multiple of a
 * block is the last of its part. A page ends where the next {@value DynamicMap#BLOCK} weights would
 * not fit, also within a parameter.
 */
final class StateLayout {
  /** Room for a block of weights with any fields that there are. */
  static final long SMALLEST_PAGE = 8 << 10;

  private static final int ALIGNMENT = 64;

  /** Weights and where their state lies: one field after another from {@code offset} on. */
  static final class Part {
    final Range range;
    final List<StateField> fields;
    final long from;
    final int page;
    final long offset;
    private long count;
    private boolean isOneParameter = true;

    private Part(Range range, List<StateField> fields, long from, int page, long offset) {
      this.range = range;
      this.fields = fields;
      this.from = from;
      this.page = page;
      this.offset = offset;
    }

    long count() {
      return count;
    }

    /** Whether it holds the whole of one parameter, and nothing else. */
    boolean isOneParameter() {
      return isOneParameter;
    }

    /** Bytes from the start of the page to a field. */
    long offsetOf(int field) {
      return offset + bytes(fields.subList(0, field), count);
    }

    private long end() {
      return offset + bytes(fields, count);
    }

    private boolean canGrow(Range r, List<StateField> f) {
      return r.equals(range)
          && f.equals(fields)
          && f.stream().allMatch(x -> x.per() == 1 || (x.per() > 1 && count % x.per() == 0));
    }
  }

  private final long pageBytes;
  private final List<Part> parts = new ArrayList<>();
  private int page;

  private StateLayout(long pageBytes) {
    this.pageBytes = pageBytes;
  }

  /**
   * The layout of all parameters.
   *
   * @param fields of a parameter's state
   * @param pageBytes the most bytes of a page
   */
  static StateLayout of(
      Parameters parameters, Function<Parameter, List<StateField>> fields, long pageBytes) {
    StateLayout layout = new StateLayout(pageBytes);
    long from = 0;
    for (Parameter p : parameters.all()) {
      long count = p.weight().elements();
      if (count > 0) {
        layout.add(rangeAt(parameters, from), fields.apply(p), from, count);
      }
      from += count;
    }
    return layout;
  }

  private static Range rangeAt(Parameters parameters, long weight) {
    return parameters.ranges().stream()
        .filter(r -> weight < r.from() + r.count())
        .findFirst()
        .orElseThrow();
  }

  private void add(Range range, List<StateField> fields, long from, long count) {
    boolean grows = !parts.isEmpty() && parts.getLast().canGrow(range, fields);
    long at = from;
    while (at < from + count) {
      if (!grows) {
        parts.add(new Part(range, fields, at, page, end()));
      }
      Part part = parts.getLast();
      long n = Math.min(from + count - at, room(part) - part.count);
      if (n > 0) {
        part.isOneParameter = part.count == 0 && n == count;
        part.count += n;
        at += n;
      } else if (part.count == 0) {
        parts.removeLast();
      }
      grows = false;
      if (at < from + count) {
        page++;
      }
    }
  }

  /** Where the page's next part begins. */
  private long end() {
    return parts.isEmpty() || parts.getLast().page < page ? 0 : parts.getLast().end();
  }

  /** The most weights of a part: whole blocks, as far as its page reaches. */
  private long room(Part part) {
    long block = part.fields.stream().mapToLong(f -> f.bytes(DynamicMap.BLOCK)).sum();
    if (block == 0 || pageBytes == Long.MAX_VALUE) {
      return Long.MAX_VALUE;
    }
    long free = pageBytes - part.offset - (long) ALIGNMENT * part.fields.size();
    return Math.max(0, free / block * DynamicMap.BLOCK);
  }

  private static long bytes(List<StateField> fields, long count) {
    long bytes = 0;
    for (StateField f : fields) {
      bytes += Math.ceilDiv(f.bytes(count), ALIGNMENT) * (long) ALIGNMENT;
    }
    return bytes;
  }

  /** The parts in order of weights, and so of pages. */
  List<Part> parts() {
    return parts;
  }

  /** The size of each page. */
  long[] pageSizes() {
    long[] sizes = new long[parts.isEmpty() ? 0 : page + 1];
    parts.forEach(p -> sizes[p.page] = Math.max(sizes[p.page], p.end()));
    return sizes;
  }
}
