// Copyright (c) 2026, the Breakwater authors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The registry drives HKLM: and HKCU: with the semantics of Windows PowerShell's provider.

using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Globalization;
using System.IO;
using System.Management.Automation;
using System.Management.Automation.Provider;
using System.Security;
using Microsoft.Win32;

namespace Breakwater.Lab
{
    /// <summary>What Get-Item and Get-ChildItem return; the members of Microsoft.Win32.RegistryKey that scripts use.</summary>
    public sealed class RegistryKey
    {
        private readonly Key key;
        private readonly string path;

        public RegistryKey(Key key, string path) { this.key = key; this.path = path; }

        public string Name => path;
        public int SubKeyCount => key.Keys.Count;
        public int ValueCount => key.Names.Count;
        public string[] GetValueNames() => key.Names.ToArray();
        public object GetValue(string name) => key.TryGet(name ?? "", out _, out object data) ? Registry.Expanded(key, name ?? "", data) : null;
        public object GetValue(string name, object otherwise) => GetValue(name) ?? otherwise;
        public override string ToString() => path;

        public RegistryValueKind GetValueKind(string name) =>
            key.TryGet(name ?? "", out var kind, out _) ? kind : throw new IOException("The specified registry key does not exist.");

        public string[] GetSubKeyNames()
        {
            var names = new List<string>();
            foreach (Key child in key.Keys.Values) { names.Add(child.Name); }
            return names.ToArray();
        }

        public object GetValue(string name, object otherwise, RegistryValueOptions options)
        {
            if (!key.TryGet(name ?? "", out _, out object data)) { return otherwise; }
            // Numbers are signed here, as in .NET; the provider shows them otherwise.
            return options == RegistryValueOptions.DoNotExpandEnvironmentNames ? data : GetValue(name);
        }

        public RegistryKey OpenSubKey(string name) => OpenSubKey(name, false);

        public RegistryKey OpenSubKey(string name, bool writable)
        {
            Key found = State.Find(Registry.Below(path + "\\" + name), writable);
            return found == null ? null : new RegistryKey(found, path + "\\" + name);
        }

        public RegistryKey CreateSubKey(string name)
        {
            string below = Registry.Below(path + "\\" + name);
            if (State.IsDenied(below, true) || !State.Elevated)
            {
                throw new UnauthorizedAccessException("Access to the registry key '" + path + "\\" + name + "' is denied.");
            }
            State.Change(() => State.Make(State.Root, below));
            return OpenSubKey(name, true);
        }

        public void DeleteSubKey(string name)
        {
            string below = Registry.Below(path + "\\" + name);
            Key found = State.Find(below, true) ?? throw new ArgumentException("Cannot delete a subkey tree because the subkey does not exist.");
            if (found.Keys.Count > 0) { throw new InvalidOperationException("Registry key has subkeys and recursive removes are not supported by this method."); }
            int cut = below.LastIndexOf('\\');
            State.Change(() => State.Find(cut < 0 ? "" : below.Substring(0, cut), true)?.Keys.Remove(below.Substring(cut + 1)));
        }

        public void DeleteValue(string name, bool throwOnMissing)
        {
            bool removed = false;
            State.Change(() => removed = State.Find(Registry.Below(path), true)?.Remove(name ?? "") ?? false);
            if (!removed && throwOnMissing) { throw new ArgumentException("No value exists with that name."); }
        }

        public void Close() { }
        public void Dispose() { }
    }

    internal static class Registry
    {
        internal const string Machine = "HKEY_LOCAL_MACHINE";

        /// <summary>The path without its hive: that of HKLM as it stands, that of any other hive below a name of its own.</summary>
        internal static string Below(string path)
        {
            path = Clean(path);
            if (path.Equals(Machine, StringComparison.OrdinalIgnoreCase)) { return ""; }
            return path.StartsWith(Machine + "\\", StringComparison.OrdinalIgnoreCase) ? path.Substring(Machine.Length + 1) : path;
        }

        internal static string Clean(string path) => (path ?? "").Replace('/', '\\').Trim('\\');

        internal static object Expanded(Key key, string name, object data)
        {
            key.TryGet(name, out var kind, out _);
            // The provider shows a number that is negative as a signed one as what it is.
            if (data is int small && small < 0) { return unchecked((uint)small); }
            if (data is long big && big < 0) { return unchecked((ulong)big); }
            if (kind != RegistryValueKind.ExpandString) { return data; }
            string text = (string)data;
            foreach (string variable in new[] { "SystemRoot", "SystemDrive", "ProgramData", "windir" })
            {
                string value = Environment.GetEnvironmentVariable(variable);
                if (value != null) { text = text.Replace("%" + variable + "%", value, StringComparison.OrdinalIgnoreCase); }
            }
            return text;
        }
    }

    public sealed class RegistryPropertyParameters
    {
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public RegistryValueKind Type { get; set; } = RegistryValueKind.Unknown;
    }

    [CmdletProvider("Registry", ProviderCapabilities.ShouldProcess)]
    public sealed class RegistryProvider : NavigationCmdletProvider, IPropertyCmdletProvider, IDynamicPropertyCmdletProvider
    {
        public override char ItemSeparator => '\\';
        public override char AltItemSeparator => '\\';

        protected override Collection<PSDriveInfo> InitializeDefaultDrives() => new()
        {
            new PSDriveInfo("HKLM", ProviderInfo, Registry.Machine, "The configuration settings for the local computer", null),
            new PSDriveInfo("HKCU", ProviderInfo, "HKEY_CURRENT_USER", "The software settings for the current user", null),
        };

        protected override bool IsValidPath(string path) => true;

        protected override bool ItemExists(string path)
        {
            try { return State.Find(Registry.Below(path)) != null; }
            catch (SecurityException) { return true; }
        }

        protected override bool IsItemContainer(string path) => ItemExists(path);

        protected override bool HasChildItems(string path) => Open(path)?.Keys.Count > 0;

        protected override string MakePath(string parent, string child)
        {
            if (string.IsNullOrEmpty(parent)) { return child ?? ""; }
            // PowerShell tells a drive's root from its key by the separator at the end.
            return parent.TrimEnd('\\', '/') + "\\" + (child ?? "").TrimStart('\\', '/');
        }

        protected override string GetParentPath(string path, string root)
        {
            path = Registry.Clean(path);
            if (root != null && path.Equals(Registry.Clean(root), StringComparison.OrdinalIgnoreCase)) { return ""; }
            int cut = path.LastIndexOf('\\');
            return cut < 0 ? "" : path.Substring(0, cut);
        }

        protected override string GetChildName(string path)
        {
            path = Registry.Clean(path);
            return path.Substring(path.LastIndexOf('\\') + 1);
        }

        protected override string NormalizeRelativePath(string path, string basePath)
        {
            path = Registry.Clean(path);
            string start = Registry.Clean(basePath);
            if (start.Length > 0 && path.StartsWith(start + "\\", StringComparison.OrdinalIgnoreCase)) { return path.Substring(start.Length + 1); }
            return path.Equals(start, StringComparison.OrdinalIgnoreCase) ? "" : path;
        }

        /// <summary>The key, or null after an error record as the real provider writes it.</summary>
        private Key Open(string path, bool write = false)
        {
            try
            {
                Key key = State.Find(Registry.Below(path), write);
                if (key == null)
                {
                    var missing = new ArgumentException("The specified registry key does not exist.");
                    WriteError(new ErrorRecord(missing, missing.GetType().FullName, ErrorCategory.InvalidArgument, path));
                }
                return key;
            }
            catch (SecurityException denied)
            {
                WriteError(new ErrorRecord(denied, denied.GetType().FullName, ErrorCategory.PermissionDenied, path));
                return null;
            }
        }

        private void WriteKey(Key key, string path)
        {
            var item = new PSObject(new RegistryKey(key, Full(path)));
            item.TypeNames.Insert(0, "Microsoft.Win32.RegistryKey");
            var names = new string[key.Names.Count];
            for (int at = 0; at < names.Length; at++) { names[at] = key.Names[at].Length == 0 ? "(default)" : key.Names[at]; }
            item.Properties.Add(new PSNoteProperty("Property", names));
            WriteItemObject(item, Full(path), true);
        }

        private static string Full(string path)
        {
            path = Registry.Clean(path);
            return path.StartsWith("HKEY_", StringComparison.OrdinalIgnoreCase) ? path : Registry.Machine + "\\" + path;
        }

        protected override void GetItem(string path)
        {
            Key key = Open(path);
            if (key != null) { WriteKey(key, path); }
        }

        protected override void GetChildItems(string path, bool recurse)
        {
            Key key = Open(path);
            if (key == null) { return; }
            foreach (Key child in key.Keys.Values)
            {
                if (Stopping) { return; }
                string below = MakePath(path, child.Name);
                Key opened = Open(below);
                if (opened == null) { continue; }
                WriteKey(opened, below);
                if (recurse) { GetChildItems(below, true); }
            }
        }

        protected override void GetChildNames(string path, ReturnContainers returnContainers)
        {
            Key key = Open(path);
            if (key == null) { return; }
            foreach (Key child in key.Keys.Values) { WriteItemObject(child.Name, MakePath(Full(path), child.Name), true); }
        }

        private void Changing(string path, string what, Action<Key> action)
        {
            if (!ShouldProcess(path, what)) { return; }
            try { State.Change(() => { Key key = Open(path, true); if (key != null) { action(key); } }); }
            catch (SecurityException denied)
            {
                WriteError(new ErrorRecord(denied, denied.GetType().FullName, ErrorCategory.PermissionDenied, path));
            }
        }

        protected override void NewItem(string path, string itemTypeName, object newItemValue)
        {
            string parent = GetParentPath(path, null);
            if (ItemExists(path) && !Force)
            {
                var exists = new IOException("A key in this path already exists.");
                WriteError(new ErrorRecord(exists, exists.GetType().FullName, ErrorCategory.ResourceExists, path));
                return;
            }
            if (!ItemExists(parent) && !Force)
            {
                Open(parent);
                return;
            }
            if (!ShouldProcess(path, "New Item")) { return; }
            try
            {
                State.Find("", true);
                State.Change(() =>
                {
                    string below = Registry.Below(path);
                    State.Find(below, true);
                    Key made = State.Make(State.Root, below);
                    if (newItemValue != null) { made.Set("", RegistryValueKind.String, newItemValue.ToString()); }
                });
                Key key = Open(path);
                if (key != null) { WriteKey(key, path); }
            }
            catch (SecurityException denied)
            {
                WriteError(new ErrorRecord(denied, denied.GetType().FullName, ErrorCategory.PermissionDenied, path));
            }
        }

        protected override void RemoveItem(string path, bool recurse)
        {
            Changing(path, "Remove Key", _ =>
            {
                Key parent = Open(GetParentPath(path, null), true);
                parent?.Keys.Remove(GetChildName(path));
            });
        }

        public void GetProperty(string path, Collection<string> providerSpecificPickList)
        {
            Key key = Open(path);
            if (key == null) { return; }
            var result = new PSObject();
            bool found = false;
            foreach (string name in Pick(key, path, providerSpecificPickList))
            {
                key.TryGet(name, out _, out object data);
                result.Properties.Add(new PSNoteProperty(name.Length == 0 ? "(default)" : name, Registry.Expanded(key, name, data)));
                found = true;
            }
            if (found) { WritePropertyObject(result, Full(path)); }
        }

        private List<string> Pick(Key key, string path, Collection<string> wanted)
        {
            if (wanted == null || wanted.Count == 0) { return new List<string>(key.Names); }
            var picked = new List<string>();
            foreach (string name in wanted)
            {
                string plain = name.Equals("(default)", StringComparison.OrdinalIgnoreCase) ? "" : name;
                var pattern = WildcardPattern.ContainsWildcardCharacters(plain) && !key.TryGet(plain, out _, out _)
                    ? new WildcardPattern(plain, WildcardOptions.IgnoreCase) : null;
                var matches = key.Names.FindAll(n => pattern == null ? n.Equals(plain, StringComparison.OrdinalIgnoreCase) : pattern.IsMatch(n));
                if (matches.Count == 0 && pattern == null)
                {
                    var missing = new PSArgumentException("Property " + name + " does not exist at path " + Full(path) + ".");
                    WriteError(new ErrorRecord(missing, missing.GetType().FullName, ErrorCategory.InvalidArgument, Full(path)));
                }
                foreach (string match in matches) { if (!picked.Contains(match)) { picked.Add(match); } }
            }
            return picked;
        }

        public void SetProperty(string path, PSObject propertyValue)
        {
            foreach (PSMemberInfo property in propertyValue.Properties)
            {
                object value = property.Value is PSObject wrapped ? wrapped.BaseObject : property.Value;
                Changing(path, "Set Property", key => Write(key, property.Name, Wanted, value));
            }
        }

        private RegistryValueKind Wanted => DynamicParameters is RegistryPropertyParameters given ? given.Type : RegistryValueKind.Unknown;

        private void Write(Key key, string name, RegistryValueKind kind, object value)
        {
            name = name.Equals("(default)", StringComparison.OrdinalIgnoreCase) ? "" : name;
            if (kind == RegistryValueKind.Unknown)
            {
                bool present = key.TryGet(name, out RegistryValueKind before, out _);
                kind = present ? before : Guess(value);
            }
            try
            {
                object data = Typed(kind, value);
                key.Set(name, kind, data);
                var result = new PSObject();
                result.Properties.Add(new PSNoteProperty(name, data));
            }
            catch (Exception wrong) when (wrong is FormatException or InvalidCastException or OverflowException or PSInvalidCastException)
            {
                WriteError(new ErrorRecord(wrong, wrong.GetType().FullName, ErrorCategory.InvalidArgument, name));
            }
        }

        private static RegistryValueKind Guess(object value) => value switch
        {
            int or bool => RegistryValueKind.DWord,
            long => RegistryValueKind.QWord,
            byte[] => RegistryValueKind.Binary,
            string[] or object[] => RegistryValueKind.MultiString,
            _ => RegistryValueKind.String,
        };

        private static object Typed(RegistryValueKind kind, object value)
        {
            switch (kind)
            {
                case RegistryValueKind.DWord:
                    try { return LanguagePrimitives.ConvertTo<int>(value ?? 0); }
                    catch (PSInvalidCastException) { return unchecked((int)LanguagePrimitives.ConvertTo<uint>(value)); }
                case RegistryValueKind.QWord: return LanguagePrimitives.ConvertTo<long>(value ?? 0);
                case RegistryValueKind.Binary: return LanguagePrimitives.ConvertTo<byte[]>(value);
                case RegistryValueKind.MultiString: return LanguagePrimitives.ConvertTo<string[]>(value ?? Array.Empty<string>());
                default: return Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
            }
        }

        public void NewProperty(string path, string propertyName, string propertyTypeName, object value)
        {
            RegistryValueKind kind = RegistryValueKind.Unknown;
            if (!string.IsNullOrEmpty(propertyTypeName) && !Enum.TryParse(propertyTypeName, true, out kind))
            {
                throw new ArgumentException("The property type " + propertyTypeName + " is not a registry value kind.");
            }
            Changing(path, "New Property", key =>
            {
                if (key.TryGet(propertyName, out _, out _) && !Force)
                {
                    var exists = new IOException("The property already exists.");
                    WriteError(new ErrorRecord(exists, exists.GetType().FullName, ErrorCategory.ResourceExists, path));
                    return;
                }
                Write(key, propertyName, kind == RegistryValueKind.Unknown ? Guess(value) : kind, value);
            });
            GetProperty(path, new Collection<string> { propertyName });
        }

        public void RemoveProperty(string path, string propertyName)
        {
            Changing(path, "Remove Property", key =>
            {
                if (!key.Remove(propertyName.Equals("(default)", StringComparison.OrdinalIgnoreCase) ? "" : propertyName))
                {
                    var missing = new PSArgumentException("Property " + propertyName + " does not exist at path " + Full(path) + ".");
                    WriteError(new ErrorRecord(missing, missing.GetType().FullName, ErrorCategory.InvalidArgument, path));
                }
            });
        }

        public void ClearProperty(string path, Collection<string> propertyToClear)
        {
            Changing(path, "Clear Property", key =>
            {
                foreach (string name in Pick(key, path, propertyToClear))
                {
                    key.TryGet(name, out RegistryValueKind kind, out _);
                    key.Set(name, kind, Typed(kind, kind == RegistryValueKind.Binary ? Array.Empty<byte>() : null));
                }
            });
        }

        public void RenameProperty(string path, string source, string destination)
        {
            Changing(path, "Rename Property", key =>
            {
                if (key.TryGet(source, out RegistryValueKind kind, out object data) && key.Remove(source)) { key.Set(destination, kind, data); }
            });
        }

        public void CopyProperty(string path, string property, string toPath, string toProperty) =>
            throw new PSNotSupportedException("not simulated");

        public void MoveProperty(string path, string property, string toPath, string toProperty) =>
            throw new PSNotSupportedException("not simulated");

        public object SetPropertyDynamicParameters(string path, PSObject propertyValue) => new RegistryPropertyParameters();
        public object NewPropertyDynamicParameters(string path, string name, string type, object value) => null;
        public object GetPropertyDynamicParameters(string path, Collection<string> picked) => null;
        public object ClearPropertyDynamicParameters(string path, Collection<string> names) => null;
        public object RemovePropertyDynamicParameters(string path, string name) => null;
        public object RenamePropertyDynamicParameters(string path, string source, string destination) => null;
        public object CopyPropertyDynamicParameters(string path, string name, string toPath, string toName) => null;
        public object MovePropertyDynamicParameters(string path, string name, string toPath, string toName) => null;
    }
}
