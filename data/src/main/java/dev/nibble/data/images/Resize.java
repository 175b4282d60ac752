package dev.nibble.data.images;

/** The size that a picture is brought to. */
sealed interface Resize {
  /**
   * The size for a picture of another.
   *
   * @param name what errors call the picture
   */
  ImageSize of(RgbImage image, String name);

  /** A shorter edge of so many pixels, the longer one in proportion, rounded down. */
  record ShortestEdge(int pixels) implements Resize {
    @Override
    public ImageSize of(RgbImage image, String name) {
      int shorter = Math.min(image.width(), image.height());
      int longer = Math.max(image.width(), image.height());
      double scaled = (double) ((long) pixels * longer) / shorter;
      if (scaled * pixels > Images.MOST_PIXELS) {
        throw new InvalidImage(
            "%s: is %d x %d, too long and narrow to be brought to a shorter edge of %d pixels"
                .formatted(name, image.width(), image.height(), pixels));
      }
      return image.width() <= image.height()
          ? new ImageSize(pixels, (int) scaled)
          : new ImageSize((int) scaled, pixels);
    }
  }

  /** One size, whatever the proportions. */
  record Exact(ImageSize size) implements Resize {
    @Override
    public ImageSize of(RgbImage image, String name) {
      return size;
    }
  }
}
