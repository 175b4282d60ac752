package dev.nibble.data.images;

import static dev.nibble.data.images.RgbImage.CHANNELS;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * How a camera was held, as EXIF says it: what is done to a stored picture, in this order, to turn
 * it upright.
 *
 * @param isTransposed whether rows become columns
 * @param isFlippedX whether a stored row is read from its right end
 * @param isFlippedY whether stored rows are read from the last
 */
record Orientation(boolean isTransposed, boolean isFlippedX, boolean isFlippedY) {
  static final Orientation UPRIGHT = new Orientation(false, false, false);

  private static final int TAG = 0x0112;
  private static final int SHORT = 3;
  private static final int ENTRY_BYTES = 12;

  /** That of EXIF's number; upright for one that has no meaning. */
  static Orientation of(int number) {
    return number < 1 || number > 8
        ? UPRIGHT
        : new Orientation(
            number >= 5,
            number == 2 || number == 3 || number >= 7,
            number == 3 || number == 4 || number == 6 || number == 7);
  }

  /**
   * That of the first directory of EXIF data. Data that is not as EXIF says is no reason to refuse
   * a picture: it counts as saying nothing.
   */
  static Orientation of(ByteBuffer exif) {
    ByteBuffer data = exif.slice();
    if (data.remaining() < 8) {
      return UPRIGHT;
    }
    int mark = data.getInt(0);
    if (mark != 0x49492A00 && mark != 0x4D4D002A) {
      return UPRIGHT;
    }
    data.order(mark == 0x49492A00 ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
    int directory = data.getInt(4);
    if (directory < 0 || directory > data.limit() - 2) {
      return UPRIGHT;
    }
    int entries = Short.toUnsignedInt(data.getShort(directory));
    for (int i = 0; i < entries; i++) {
      int at = directory + 2 + ENTRY_BYTES * i;
      if (at > data.limit() - ENTRY_BYTES) {
        return UPRIGHT;
      }
      if (Short.toUnsignedInt(data.getShort(at)) == TAG && data.getShort(at + 2) == SHORT) {
        return of(data.getShort(at + 8));
      }
    }
    return UPRIGHT;
  }

  /** The picture, upright. */
  RgbImage upright(RgbImage stored) {
    if (equals(UPRIGHT)) {
      return stored;
    }
    int width = isTransposed ? stored.height() : stored.width();
    int height = isTransposed ? stored.width() : stored.height();
    byte[] turned = new byte[stored.samples().length];
    int to = 0;
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int column = isTransposed ? y : x;
        int row = isTransposed ? x : y;
        int from =
            (isFlippedY ? stored.height() - 1 - row : row) * stored.width()
                + (isFlippedX ? stored.width() - 1 - column : column);
        for (int c = 0; c < CHANNELS; c++) {
          turned[to++] = stored.samples()[CHANNELS * from + c];
        }
      }
    }
    return new RgbImage(width, height, turned);
  }
}
