// Copyright (c) 2026, the Breakwater authors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The state of a simulated host: one JSON file, read anew when it was changed, written back under a lock by every change.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Collections.Specialized;
using System.Globalization;
using System.IO;
using System.Security;
using System.Text;
using System.Text.Json;
using System.Threading;
using Microsoft.Win32;

namespace Breakwater.Lab
{
    /// <summary>One registry key: names are case-insensitive and keep the case they were written with.</summary>
    public sealed class Key
    {
        public string Name;
        public readonly SortedDictionary<string, Key> Keys = new(StringComparer.OrdinalIgnoreCase);
        public readonly List<string> Names = new();
        private readonly Dictionary<string, (RegistryValueKind Kind, object Data)> values = new(StringComparer.OrdinalIgnoreCase);

        public Key(string name) { Name = name; }

        public bool TryGet(string name, out RegistryValueKind kind, out object data)
        {
            bool found = values.TryGetValue(name, out var pair);
            (kind, data) = pair;
            return found;
        }

        public void Set(string name, RegistryValueKind kind, object data)
        {
            if (!values.ContainsKey(name)) { Names.Add(name); }
            values[name] = (kind, data);
        }

        public bool Remove(string name)
        {
            if (!values.Remove(name)) { return false; }
            Names.RemoveAll(n => string.Equals(n, name, StringComparison.OrdinalIgnoreCase));
            return true;
        }
    }

    public static class State
    {
        private static string file;
        private static bool changing;
        private static Key root;
        private static IDictionary data;
        private static DateTime seen;

        // What others change meanwhile is seen at once, as on Windows.
        public static Key Root { get { Refresh(); return root; } }
        public static IDictionary Data { get { Refresh(); return data; } }
        public static IDictionary User { get; private set; }
        public static string UserName { get; private set; }

        public static void Load(string path, string user)
        {
            file = path;
            UserName = user;
            Read();
        }

        private static void Refresh()
        {
            if (!changing && File.GetLastWriteTimeUtc(file) != seen) { Read(); }
        }

        private static void Read()
        {
            seen = File.GetLastWriteTimeUtc(file);
            using var document = JsonDocument.Parse(File.ReadAllBytes(file), new JsonDocumentOptions { MaxDepth = 128 });
            var members = new OrderedDictionary(StringComparer.OrdinalIgnoreCase);
            var top = new Key("");
            foreach (var member in document.RootElement.EnumerateObject())
            {
                if (member.NameEquals("registry")) { ReadRegistry(top, member.Value); }
                else { members[member.Name] = Value(member.Value); }
            }
            root = top;
            data = members;
            User = (members["users"] as IDictionary)?[UserName] as IDictionary
                ?? throw new ArgumentException("this host has no user " + UserName);
        }

        private static object Value(JsonElement element)
        {
            switch (element.ValueKind)
            {
                case JsonValueKind.Object:
                    var members = new OrderedDictionary(StringComparer.OrdinalIgnoreCase);
                    foreach (var member in element.EnumerateObject()) { members[member.Name] = Value(member.Value); }
                    return members;
                case JsonValueKind.Array:
                    var items = new ArrayList(element.GetArrayLength());
                    foreach (var item in element.EnumerateArray()) { items.Add(Value(item)); }
                    return items;
                case JsonValueKind.String: return element.GetString();
                case JsonValueKind.Number:
                    if (element.TryGetInt32(out int small)) { return small; }
                    if (element.TryGetInt64(out long big)) { return big; }
                    return element.GetDouble();
                case JsonValueKind.True: return true;
                case JsonValueKind.False: return false;
                default: return null;
            }
        }

        private static void ReadRegistry(Key root, JsonElement keys)
        {
            foreach (var key in keys.EnumerateObject())
            {
                Key node = Make(root, key.Name);
                foreach (var value in key.Value.EnumerateObject())
                {
                    var kind = Enum.Parse<RegistryValueKind>(value.Value[0].GetString());
                    node.Set(value.Name, kind, Typed(kind, value.Value[1]));
                }
            }
        }

        private static object Typed(RegistryValueKind kind, JsonElement data)
        {
            switch (kind)
            {
                case RegistryValueKind.DWord: return unchecked((int)data.GetInt64());
                case RegistryValueKind.QWord: return data.GetInt64();
                case RegistryValueKind.Binary: return Convert.FromHexString(data.GetString());
                case RegistryValueKind.MultiString:
                    var lines = new List<string>();
                    foreach (var line in data.EnumerateArray()) { lines.Add(line.GetString()); }
                    return lines.ToArray();
                default: return data.GetString();
            }
        }

        public static Key Make(Key from, string path)
        {
            foreach (string part in path.Split('\\', StringSplitOptions.RemoveEmptyEntries))
            {
                if (!from.Keys.TryGetValue(part, out Key next))
                {
                    next = new Key(part);
                    from.Keys[part] = next;
                }
                from = next;
            }
            return from;
        }

        /// <summary>The key below HKLM, or null; a key that this user may not open throws what Windows throws.</summary>
        public static Key Find(string path, bool write = false)
        {
            if (IsDenied(path, write) || (write && !Elevated)) { throw new SecurityException("Requested registry access is not allowed."); }
            Key node = Root;
            foreach (string part in path.Split('\\', StringSplitOptions.RemoveEmptyEntries))
            {
                if (!node.Keys.TryGetValue(part, out node)) { return null; }
            }
            return node;
        }

        public static bool Elevated => User["elevated"] is bool elevated && elevated;

        /// <summary>Whether "path" lies at or below a key that the host's data denies to this user, perhaps for writing only.</summary>
        public static bool IsDenied(string path, bool write = false)
        {
            if (Data["denied_keys"] is not IList rules) { return false; }
            foreach (IDictionary rule in rules)
            {
                if (!write && rule["write"] is true) { continue; }
                if (rule["users"] is IList users && !users.Contains(UserName)) { continue; }
                string key = (string)rule["key"];
                if (path.Length >= key.Length && path.StartsWith(key, StringComparison.OrdinalIgnoreCase)
                    && (path.Length == key.Length || path[key.Length] == '\\')) { return true; }
            }
            return false;
        }

        /// <summary>Take the lock, read what others wrote meanwhile, change, write atomically.</summary>
        public static void Change(Action action)
        {
            if (changing) { action(); return; }
            using var held = Lock(file + ".lock");
            changing = true;
            try
            {
                Read();
                action();
                string next = file + "." + Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
                File.WriteAllBytes(next, Bytes());
                File.Move(next, file, true);
                seen = File.GetLastWriteTimeUtc(file);
            }
            finally { changing = false; }
        }

        private static FileStream Lock(string path)
        {
            for (int tries = 0; ; tries++)
            {
                try { return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None); }
                catch (IOException) when (tries < 1000) { Thread.Sleep(10); }
            }
        }

        private static byte[] Bytes()
        {
            using var buffer = new MemoryStream();
            using (var writer = new Utf8JsonWriter(buffer))
            {
                writer.WriteStartObject();
                foreach (DictionaryEntry member in Data)
                {
                    writer.WritePropertyName((string)member.Key);
                    JsonSerializer.Serialize(writer, Plain(member.Value));
                }
                writer.WriteStartObject("registry");
                WriteKeys(writer, Root, "");
                writer.WriteEndObject();
                writer.WriteEndObject();
            }
            return buffer.ToArray();
        }

        private static object Plain(object value)
        {
            if (value is System.Management.Automation.PSObject wrapped) { value = wrapped.BaseObject; }
            if (value is IDictionary members)
            {
                var plain = new Dictionary<string, object>();
                foreach (DictionaryEntry member in members) { plain[(string)member.Key] = Plain(member.Value); }
                return plain;
            }
            if (value is IEnumerable items && value is not string)
            {
                var plain = new List<object>();
                foreach (object item in items) { plain.Add(Plain(item)); }
                return plain;
            }
            return value is Enum ? value.ToString() : value;
        }

        private static void WriteKeys(Utf8JsonWriter writer, Key key, string path)
        {
            if (path.Length > 0 && (key.Names.Count > 0 || key.Keys.Count == 0))
            {
                writer.WriteStartObject(path);
                foreach (string name in key.Names)
                {
                    key.TryGet(name, out var kind, out object data);
                    writer.WriteStartArray(name);
                    writer.WriteStringValue(kind.ToString());
                    JsonSerializer.Serialize(writer, data is byte[] bytes ? Convert.ToHexString(bytes) : data);
                    writer.WriteEndArray();
                }
                writer.WriteEndObject();
            }
            foreach (Key child in key.Keys.Values)
            {
                WriteKeys(writer, child, path.Length == 0 ? child.Name : path + "\\" + child.Name);
            }
        }
    }

    /// <summary>Short reads and writes of the registry for the simulated cmdlets (they may see denied keys: they are services).</summary>
    public static class Reg
    {
        private static Key Node(string path)
        {
            Key node = State.Root;
            foreach (string part in path.Split('\\', StringSplitOptions.RemoveEmptyEntries))
            {
                if (!node.Keys.TryGetValue(part, out node)) { return null; }
            }
            return node;
        }

        public static bool Exists(string path) => Node(path) != null;

        public static object Get(string path, string name)
        {
            Key node = Node(path);
            return node != null && node.TryGet(name, out _, out object data) ? data : null;
        }

        public static string[] Names(string path) => Node(path)?.Names.ToArray() ?? Array.Empty<string>();

        public static string[] Keys(string path)
        {
            Key node = Node(path);
            if (node == null) { return Array.Empty<string>(); }
            var names = new List<string>();
            foreach (Key child in node.Keys.Values) { names.Add(child.Name); }
            return names.ToArray();
        }

        public static void Set(string path, string name, object data)
        {
            State.Change(() =>
            {
                Key node = State.Make(State.Root, path);
                switch (data)
                {
                    case string text: node.Set(name, RegistryValueKind.String, text); break;
                    case string[] lines: node.Set(name, RegistryValueKind.MultiString, lines); break;
                    default: node.Set(name, RegistryValueKind.DWord, unchecked((int)Convert.ToInt64(data, CultureInfo.InvariantCulture))); break;
                }
            });
        }

        public static void Remove(string path, string name) => State.Change(() => Node(path)?.Remove(name));
    }
}

namespace Breakwater.Lab
{
    /// <summary>A culture that carries the name and the language of another and formats like the invariant one.</summary>
    public sealed class Culture : System.Globalization.CultureInfo
    {
        private readonly string name;

        private Culture(string name) : base("") { this.name = name; }

        public static System.Globalization.CultureInfo Named(string name) => new Culture(name);
        public override string Name => name;
    }
}
