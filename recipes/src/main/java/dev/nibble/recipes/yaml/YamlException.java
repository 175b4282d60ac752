package dev.nibble.recipes.yaml;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;

/** Text that is not YAML, or YAML that recipes do not allow. */
public final class YamlException extends NibbleException {
  private static final long serialVersionUID = 1;
  private final transient Place place;
  private final String reason;

  YamlException(Place place, String reason) {
    super(Fault.USER, place + ": " + reason);
    this.place = place;
    this.reason = reason;
  }

  /** The problem without the place. */
  public String reason() {
    return reason;
  }

  /** Its place. */
  public Place place() {
    return place;
  }
}
