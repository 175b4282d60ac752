package dev.nibble.recipes.yaml;

/** Text that is not YAML, or YAML that recipes do not allow. */
public final class YamlException extends RuntimeException {
  private static final long serialVersionUID = 1;
  private final transient Place place;
  private final String problem;

  YamlException(Place place, String problem) {
    super(place + ": " + problem);
    this.place = place;
    this.problem = problem;
  }

  /** What is wrong, without the place. */
  public String problem() {
    return problem;
  }

  /** Where. */
  public Place place() {
    return place;
  }
}
