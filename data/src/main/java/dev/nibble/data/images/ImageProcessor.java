package dev.nibble.data.images;

import static dev.nibble.data.images.RgbImage.CHANNELS;

import java.nio.file.Path;

/**
 * What is done to a picture before a vision tower sees it: resizing, cutting out the centre, and
 * bringing each channel near to mean 0 and deviation 1. Its results are those of transformers'
 * {@code CLIPImageProcessor} and {@code SiglipImageProcessor} with Pillow, to the bit.
 */
public final class ImageProcessor {
  private final Resize resize;
  private final ImageSize output;
  private final float[][] values;

  /** With the number that each of 256 samples of a channel becomes. */
  private ImageProcessor(Resize resize, ImageSize output, float[][] values) {
    this.resize = resize;
    this.output = output;
    this.values = values;
  }

  /** CLIP's: a shorter edge, and a cut that fits into its square. */
  static ImageProcessor cropping(int shortestEdge, ImageSize crop, Normalization normalization) {
    if (Math.max(crop.width(), crop.height()) > shortestEdge) {
      throw new IllegalArgumentException(crop + " of a shorter edge of " + shortestEdge);
    }
    return new ImageProcessor(new Resize.ShortestEdge(shortestEdge), crop, normalization.table());
  }

  /** SigLIP's: one size. */
  static ImageProcessor exact(ImageSize size, Normalization normalization) {
    return new ImageProcessor(new Resize.Exact(size), size, normalization.table());
  }

  /**
   * The processor that a model's folder describes, in processor_config.json or
   * preprocessor_config.json.
   *
   * @throws InvalidImage when neither does, or when it asks for what is not supported
   */
  public static ImageProcessor of(Path folder) {
    return ImageProcessorFile.read(folder);
  }

  /** The size of what a vision tower sees. */
  public ImageSize output() {
    return output;
  }

  /**
   * The values that a vision tower sees: all of the first channel, row by row, then the others.
   *
   * @param name what errors call the picture
   * @throws InvalidImage when the picture is too narrow to be resized
   */
  public float[] pixels(RgbImage image, String name) {
    RgbImage resized = resized(image, name);
    RgbImage seen =
        resized.part(
            (resized.width() - output.width()) / 2,
            (resized.height() - output.height()) / 2,
            output);
    int plane = output.width() * output.height();
    float[] pixels = new float[CHANNELS * plane];
    for (int i = 0; i < plane; i++) {
      for (int c = 0; c < CHANNELS; c++) {
        pixels[c * plane + i] = values[c][Byte.toUnsignedInt(seen.samples()[CHANNELS * i + c])];
      }
    }
    return pixels;
  }

  RgbImage resized(RgbImage image, String name) {
    return Bicubic.resized(image, resize.of(image, name));
  }
}
