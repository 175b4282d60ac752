package dev.nibble.data.images;

import java.nio.ByteBuffer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the segments before a JPEG file's first scan say, beyond what its decoder tells.
 *
 * @param exif EXIF data
 * @param isYcc whether three components are a luminance and two colour differences, and not red,
 *     green and blue; decided as libjpeg does
 * @param isComplete whether the mark of the end follows the beginning of the scan
 */
record JpegSegments(Optional<ByteBuffer> exif, boolean isYcc, boolean isComplete) {
  private static final int START_OF_SCAN = 0xDA;
  private static final int END = 0xD9;
  private static final int APP0 = 0xE0;
  private static final int APP1 = 0xE1;
  private static final int APP14 = 0xEE;

  static JpegSegments of(byte[] file) {
    @Nullable ByteBuffer exif = null;
    boolean isJfif = false;
    int adobe = -1;
    boolean namesRgb = false;
    int at = 2;
    while (at + 4 <= file.length && unsigned(file, at) == 0xFF) {
      int marker = unsigned(file, at + 1);
      if (marker == 0xFF) {
        at++;
        continue;
      }
      int length = unsigned(file, at + 2) << 8 | unsigned(file, at + 3);
      int data = at + 4;
      int next = at + 2 + length;
      if (marker == START_OF_SCAN || length < 2 || next > file.length) {
        break;
      }
      ByteBuffer segment = ByteBuffer.wrap(file, data, length - 2).slice();
      switch (marker) {
        case APP0 -> isJfif |= begins(segment, "JFIF\0");
        case APP1 -> {
          if (exif == null && begins(segment, "Exif\0\0")) {
            exif = segment.slice(6, segment.limit() - 6);
          }
        }
        case APP14 -> {
          if (begins(segment, "Adobe") && segment.limit() >= 12) {
            adobe = Byte.toUnsignedInt(segment.get(11));
          }
        }
        default -> {
          if (isFrame(marker) && segment.limit() >= 6 + 9) {
            namesRgb = segment.get(6) == 'R' && segment.get(9) == 'G' && segment.get(12) == 'B';
          }
        }
      }
      at = next;
    }
    boolean isYcc = isJfif || (adobe >= 0 ? adobe != 0 : !namesRgb);
    return new JpegSegments(Optional.ofNullable(exif), isYcc, hasEnd(file, at));
  }

  /** Starts of frames lie between C0 and CF, with tables (C4, C8, CC) among them. */
  private static boolean isFrame(int marker) {
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
  }

  private static boolean hasEnd(byte[] file, int from) {
    for (int i = from; i + 1 < file.length; i++) {
      if (unsigned(file, i) == 0xFF && unsigned(file, i + 1) == END) {
        return true;
      }
    }
    return false;
  }

  private static boolean begins(ByteBuffer segment, String mark) {
    for (int i = 0; i < mark.length(); i++) {
      if (i >= segment.limit() || segment.get(i) != mark.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  private static int unsigned(byte[] file, int at) {
    return Byte.toUnsignedInt(file[at]);
  }
}
