package dev.nibble.data.images;

/** Width and height in pixels. */
public record ImageSize(int width, int height) {
  /** Checks the ranges. */
  public ImageSize {
    if (width < 1 || height < 1) {
      throw new IllegalArgumentException("an image of %d x %d".formatted(width, height));
    }
  }
}
