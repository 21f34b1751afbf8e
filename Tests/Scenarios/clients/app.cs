using System;
using System.Runtime.InteropServices;

// Strings of a native library, handled by the marshaller and by hand; one that is received is forgotten.
class App {
  [DllImport("native")]
  [return: MarshalAs(UnmanagedType.BStr)]
  static extern string make_name();

  [DllImport("native")]
  static extern int get_name([MarshalAs(UnmanagedType.BStr)] out string name);

  [DllImport("native")]
  static extern uint take([MarshalAs(UnmanagedType.BStr)] string text);

  [DllImport("native", EntryPoint = "make_name")]
  static extern IntPtr make_raw();

  [DllImport("native")]
  static extern void give_back(IntPtr text);

  [DllImport("native")]
  static extern int forget();

  static void LeakReceived() {
    Console.WriteLine(Marshal.PtrToStringBSTR(make_raw()));
  }

  static int Main() {
    Console.WriteLine(make_name());
    string name;
    get_name(out name);
    Console.WriteLine(name);
    Console.WriteLine(take("a borrowed argument"));
    IntPtr raw = make_raw();
    Console.WriteLine(Marshal.PtrToStringBSTR(raw));
    give_back(raw);
    Marshal.FreeBSTR(Marshal.StringToBSTR("managed"));
    LeakReceived();
    Console.WriteLine(forget());
    return 0;
  }
}
