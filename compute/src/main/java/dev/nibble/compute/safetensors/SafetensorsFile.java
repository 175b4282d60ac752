package dev.nibble.compute.safetensors;

import dev.nibble.compute.safetensors.Header.Entry;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Set;

/** One safetensors file, mapped into memory. It owns the mapping: tensors die when it closes. */
public final class SafetensorsFile implements AutoCloseable {
  private final Path file;
  private final Arena arena;
  private final MemorySegment bytes;
  private final Header header;

  SafetensorsFile(Path file, Arena arena, MemorySegment bytes, Header header) {
    this.file = file;
    this.arena = arena;
    this.bytes = bytes;
    this.header = header;
  }

  /** Where it lies. */
  public Path path() {
    return file;
  }

  /** The tensors' names, in the header's order. */
  public Set<String> names() {
    return Collections.unmodifiableSet(header.entries().sequencedKeySet());
  }

  /** True when the file holds this tensor. */
  public boolean has(String name) {
    return header.entries().containsKey(name);
  }

  /**
   * A read-only view of the mapped file, on the host. It may lie at any address: old writers did
   * not align.
   *
   * @throws MalformedSafetensors when the file does not hold it
   */
  public Tensor tensor(String name) {
    Entry e = header.entries().get(name);
    if (e == null) {
      throw new MalformedSafetensors(
          "%s has no tensor '%s' among its %d".formatted(file, name, header.entries().size()));
    }
    return Tensor.onHost(
        name,
        e.dtype(),
        e.shape(),
        bytes.asSlice(header.dataStart() + e.begin(), e.end() - e.begin()));
  }

  /**
   * Releases the physical memory behind a tensor after its values were copied or quantised. They
   * are read from the file again on the next access.
   */
  public void unload(String name) {
    MemorySegment view = tensor(name).memory();
    if (view.byteSize() > 0) {
      view.unload();
    }
  }

  /** Free-form strings of the writer, for example {@code format=pt}. */
  public Map<String, String> metadata() {
    return Collections.unmodifiableMap(header.metadata());
  }

  /** Unmaps the file. */
  @Override
  public void close() {
    arena.close();
  }
}
