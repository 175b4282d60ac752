package dev.nibble.compute.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The owner of tensors' memory, for one of three lifetimes: <em>run</em> (weights, adapters,
 * optimizer, activations), <em>batch</em> or <em>op</em>. A scope is closed once, after its
 * children. It can be sealed: from then on it and its children allocate nothing, so that a training
 * step takes no tensor memory.
 */
public final class Scope implements AutoCloseable {
  // Groups that an error lists.
  private static final int LARGEST = 5;

  private final String name;
  private final Memory memory;
  private final @Nullable Scope parent;
  private final Arena arena = Arena.ofShared();
  private final List<Tensor> tensors = new ArrayList<>();
  private final List<Scope> children = new ArrayList<>();
  private long bytes;
  private long hostBytes;
  private boolean sealed;
  private boolean closed;

  private Scope(String name, Memory memory, @Nullable Scope parent) {
    this.name = name;
    this.memory = memory;
    this.parent = parent;
  }

  /** A new root scope whose tensors lie in {@code memory}. */
  public static Scope open(String name, Memory memory) {
    return new Scope(name, memory, null);
  }

  /** A scope inside this one: its tensors count towards this one's bytes, and it closes first. */
  public synchronized Scope child(String childName) {
    checkOpen();
    Scope child = new Scope(name + "." + childName, memory, this);
    children.add(child);
    return child;
  }

  /**
   * A zeroed tensor that lives as long as this scope.
   *
   * @param tensorName its name; the part before the first '/' is its group in {@link #table}
   * @throws ScopeException after {@link #seal} or after {@link #close}
   * @throws OutOfDeviceMemory when an accelerator has not that much; says what holds most
   */
  public synchronized Tensor allocate(String tensorName, DType dtype, long... dims) {
    Shape shape = Shape.of(dims);
    checkOpen();
    long size = Math.multiplyExact(shape.elements(), (long) dtype.bytes());
    reserve(tensorName, size);
    Tensor t = new Tensor(tensorName, dtype, shape, memory.device(), take(tensorName, size), 0);
    tensors.add(t);
    return t;
  }

  private MemorySegment take(String tensorName, long size) {
    try {
      return memory.allocate(size, arena);
    } catch (OutOfDeviceMemory e) {
      release(size);
      throw e.of(tensorName, root().table(LARGEST));
    } catch (RuntimeException | OutOfMemoryError e) {
      release(size);
      throw e;
    }
  }

  private Scope root() {
    return parent == null ? this : parent.root();
  }

  /**
   * A zeroed tensor on the host that lives as long as this scope: what Java reads and writes of a
   * device's tensors. It counts towards neither {@link #bytes} nor {@link #table}, which are about
   * the scope's memory.
   *
   * @throws ScopeException after {@link #seal} or after {@link #close}
   */
  public synchronized Tensor allocateOnHost(String tensorName, DType dtype, long... dims) {
    Shape shape = Shape.of(dims);
    checkOpen();
    reserve(tensorName, 0);
    long size = Math.multiplyExact(shape.elements(), (long) dtype.bytes());
    hostBytes += size;
    return memory.isPlanned()
        ? new Tensor(tensorName, dtype, shape, memory.device(), memory.allocate(size, arena), 0)
        : Tensor.onHost(tensorName, dtype, shape, Memory.host().allocate(size, arena));
  }

  /** Bytes of {@link #allocateOnHost}, those of children included. */
  public synchronized long hostBytes() {
    return hostBytes + children.stream().mapToLong(Scope::hostBytes).sum();
  }

  private synchronized void reserve(String tensorName, long size) {
    if (sealed) {
      throw new ScopeException(
          "scope '%s' is sealed: %s (%d bytes) must be allocated before the first step"
              .formatted(name, tensorName, size));
    }
    if (parent != null) {
      parent.reserve(tensorName, size);
    }
    bytes += size;
  }

  private synchronized void release(long size) {
    bytes -= size;
    if (parent != null) {
      parent.release(size);
    }
  }

  /** From now on nothing may be allocated here or in a child. */
  public synchronized void seal() {
    checkOpen();
    sealed = true;
  }

  /**
   * Lifts {@link #seal}: after the last step, memory may be taken again, to generate for example.
   */
  public synchronized void unseal() {
    checkOpen();
    sealed = false;
  }

  /** Bytes held, those of children included. */
  public synchronized long bytes() {
    return bytes;
  }

  /**
   * Bytes by group (the part of a tensor's name before the first '/'), largest first, children
   * included.
   */
  public synchronized Map<String, Long> groups() {
    Map<String, Long> sums = new LinkedHashMap<>();
    addTo(sums);
    Map<String, Long> sorted = new LinkedHashMap<>();
    sums.entrySet().stream()
        .sorted(Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder()))
        .forEach(e -> sorted.put(e.getKey(), e.getValue()));
    return sorted;
  }

  private synchronized void addTo(Map<String, Long> sums) {
    for (Tensor t : tensors) {
      sums.merge(t.name().split("/", 2)[0], t.bytes(), Long::sum);
    }
    children.forEach(c -> c.addTo(sums));
  }

  /** The memory plan: one line for each group, largest first, and the sum. */
  public String table() {
    return table(Integer.MAX_VALUE);
  }

  /** The same, with the smaller groups in one line. */
  private String table(int most) {
    StringBuilder s = new StringBuilder();
    Map<String, Long> groups = groups();
    groups.entrySet().stream()
        .limit(most)
        .forEach(e -> s.append("  %-24s %12s%n".formatted(e.getKey(), text(e.getValue()))));
    if (groups.size() > most) {
      long rest = groups.values().stream().skip(most).mapToLong(Long::longValue).sum();
      s.append("  %-24s %12s%n".formatted("others", text(rest)));
    }
    return s.append("  %-24s %12s%n".formatted("total", text(bytes()))).toString();
  }

  /** Bytes in words. */
  static String text(long size) {
    return size < 1L << 30
        ? "%.1f MiB".formatted(size / 1048576.0)
        : "%.2f GiB".formatted(size / 1073741824.0);
  }

  private void checkOpen() {
    if (closed) {
      throw new ScopeException("scope '" + name + "' is closed");
    }
  }

  /**
   * Frees all memory.
   *
   * @throws ScopeException when a child is still open, or when closed before
   */
  @Override
  public synchronized void close() {
    checkOpen();
    if (!children.isEmpty()) {
      throw new ScopeException(
          "scope '" + name + "' closes before its child '" + children.getFirst().name + "'");
    }
    closed = true;
    arena.close();
    if (parent != null) {
      parent.childClosed(this);
    }
  }

  private synchronized void childClosed(Scope child) {
    children.remove(child);
    release(child.bytes);
  }
}
