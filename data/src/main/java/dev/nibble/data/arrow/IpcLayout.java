package dev.nibble.data.arrow;

import java.util.List;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * The schema of an Arrow IPC file that was checked, and where the messages with its values are.
 *
 * @param messages in the order in which they are read
 */
record IpcLayout(Schema schema, List<Place> messages) {

  /**
   * The place of a message.
   *
   * @param start of its description
   * @param length of the description
   * @param body where the values begin
   * @param bodyLength bytes of the values
   */
  record Place(long start, int length, long body, long bodyLength) {}
}
