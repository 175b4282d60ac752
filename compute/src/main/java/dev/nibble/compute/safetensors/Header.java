package dev.nibble.compute.safetensors;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import java.util.Map;
import java.util.SequencedMap;

/**
 * The header of a file.
 *
 * @param entries each tensor by its name, in the header's order
 * @param metadata free-form strings of the writer
 * @param dataStart where the tensors' bytes begin in the file
 */
record Header(SequencedMap<String, Entry> entries, Map<String, String> metadata, long dataStart) {

  /** The key that cannot be a tensor's name. */
  static final String METADATA = "__metadata__";

  /**
   * One tensor.
   *
   * @param begin its first byte, counted from the start of the data
   * @param end the byte after its last
   */
  record Entry(String name, DType dtype, Shape shape, long begin, long end) {}
}
