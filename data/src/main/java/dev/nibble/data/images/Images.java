package dev.nibble.data.images;

import static dev.nibble.data.images.RgbImage.CHANNELS;

import java.awt.image.BufferedImage;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * Decoder of PNG and JPEG files into the pixels that Pillow's {@code convert("RGB")} gives: alpha
 * is dropped and not blended, a palette looked up, grey repeated, and no profile of colours
 * applied. A camera's orientation is followed, as transformers' {@code load_image} does.
 *
 * <p>The samples are those of the JDK's decoders before they convert colours. Those of a JPEG are
 * equal to Pillow's as long as both compute libjpeg's slow integer transform.
 */
public final class Images {
  /**
   * Pictures of more pixels are refused before they are decoded: a small file can declare any
   * number. Decoding one of so many takes about half a gigabyte.
   */
  public static final int MOST_PIXELS = 1 << 26;

  /** Larger files are refused before they are read. */
  public static final long MOST_BYTES = 1L << 28;

  private static final byte[] PNG = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  private static final byte[] JPEG = {(byte) 0xFF, (byte) 0xD8, (byte) 0xFF};

  private Images() {}

  /**
   * The picture of a file.
   *
   * @throws InvalidImage when it is not there, broken, too large or of another kind
   */
  public static RgbImage read(Path file) {
    try {
      if (!Files.isRegularFile(file)) {
        throw new InvalidImage(
            file + (Files.exists(file) ? ": is not a file" : ": there is no such image"));
      }
      if (Files.size(file) > MOST_BYTES) {
        throw new InvalidImage(
            "%s: has %,d bytes; images of at most %,d are read"
                .formatted(file, Files.size(file), MOST_BYTES));
      }
      return decode(Files.readAllBytes(file), file.toString());
    } catch (NoSuchFileException e) {
      throw new InvalidImage(file + ": there is no such image", e);
    } catch (IOException e) {
      throw new InvalidImage(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * The picture that a file's bytes hold.
   *
   * @param name what errors call it
   * @throws InvalidImage when it is broken, too large or of another kind
   */
  public static RgbImage decode(byte[] file, String name) {
    RgbImage stored;
    Optional<ByteBuffer> exif;
    if (begins(file, PNG)) {
      PngChunks chunks = PngChunks.of(file);
      requireEnd(chunks.isComplete(), name);
      exif = chunks.exif();
      stored = decode(file, name, "png", reader -> png(reader.read(0), name));
    } else if (begins(file, JPEG)) {
      JpegSegments segments = JpegSegments.of(file);
      requireEnd(segments.isComplete(), name);
      exif = segments.exif();
      stored =
          decode(file, name, "jpeg", reader -> jpeg(reader.readRaster(0, null), segments, name));
    } else {
      throw new InvalidImage(name + ": is neither a PNG nor a JPEG image. Convert it to one.");
    }
    return exif.map(Orientation::of).orElse(Orientation.UPRIGHT).upright(stored);
  }

  private static void requireEnd(boolean isComplete, String name) {
    if (!isComplete) {
      throw new InvalidImage(name + ": ends before the image does. Fetch the file again.");
    }
  }

  private static boolean begins(byte[] file, byte[] mark) {
    return file.length > mark.length
        && ByteBuffer.wrap(file, 0, mark.length).equals(ByteBuffer.wrap(mark));
  }

  private interface Decoding {
    RgbImage with(ImageReader reader) throws IOException;
  }

  private static RgbImage decode(byte[] file, String name, String format, Decoding decoding) {
    ImageReader reader = ImageIO.getImageReadersByFormatName(format).next();
    try (var in = new MemoryCacheImageInputStream(new ByteArrayInputStream(file))) {
      // Chunks of text and profiles, which may swell when they are read, are left out.
      reader.setInput(in, true, true);
      long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
      if (pixels > MOST_PIXELS) {
        throw new InvalidImage(
            "%s: is declared to have %d x %d pixels; images of at most %,d pixels are decoded"
                .formatted(name, reader.getWidth(0), reader.getHeight(0), MOST_PIXELS));
      }
      return decoding.with(reader);
    } catch (InvalidImage e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      // On broken files the decoders throw whatever their code runs into.
      throw new InvalidImage(
          "%s: is broken: %s. Fetch the file again."
              .formatted(name, e.getMessage() == null ? e.toString() : e.getMessage()),
          e);
    } finally {
      reader.dispose();
    }
  }

  private static RgbImage png(BufferedImage image, String name) {
    Raster raster = image.getRaster();
    int width = raster.getWidth();
    int height = raster.getHeight();
    byte[] samples = new byte[CHANNELS * width * height];
    if (image.getColorModel() instanceof IndexColorModel palette) {
      int[] row = new int[width];
      for (int y = 0, to = 0; y < height; y++) {
        for (int entry : raster.getSamples(0, y, width, 1, 0, row)) {
          samples[to++] = (byte) palette.getRed(entry);
          samples[to++] = (byte) palette.getGreen(entry);
          samples[to++] = (byte) palette.getBlue(entry);
        }
      }
      return new RgbImage(width, height, samples);
    }
    boolean isGrey = raster.getNumBands() < CHANNELS;
    boolean isWide = raster.getTransferType() == DataBuffer.TYPE_USHORT;
    if (isGrey && isWide) {
      throw new InvalidImage(
          name + ": is grey with 16 bits a pixel. Convert it to 8 bits, as you want to see it.");
    }
    copy(raster, samples, isGrey, isWide ? 8 : 0);
    return new RgbImage(width, height, samples);
  }

  private static RgbImage jpeg(Raster raster, JpegSegments segments, String name) {
    int bands = raster.getNumBands();
    if (bands != 1 && bands != CHANNELS) {
      throw new InvalidImage(
          "%s: is a JPEG image of %d components, as for print. Convert it to RGB."
              .formatted(name, bands));
    }
    byte[] samples = new byte[CHANNELS * raster.getWidth() * raster.getHeight()];
    copy(raster, samples, bands == 1, 0);
    if (bands == CHANNELS && segments.isYcc()) {
      Ycc.toRgb(samples);
    }
    return new RgbImage(raster.getWidth(), raster.getHeight(), samples);
  }

  /** Copies the first three bands, or the first of grey to all. */
  private static void copy(Raster raster, byte[] samples, boolean isGrey, int shift) {
    int bands = raster.getNumBands();
    int[] row = new int[bands * raster.getWidth()];
    for (int y = 0, to = 0; y < raster.getHeight(); y++) {
      raster.getPixels(0, y, raster.getWidth(), 1, row);
      for (int from = 0; from < row.length; from += bands) {
        for (int c = 0; c < CHANNELS; c++) {
          samples[to++] = (byte) (row[from + (isGrey ? 0 : c)] >> shift);
        }
      }
    }
  }
}
