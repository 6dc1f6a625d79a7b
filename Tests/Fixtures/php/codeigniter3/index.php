<?php

/**
 * A stand-in for CodeIgniter 3, so that examples/php/codeigniter3 runs where the framework cannot
 * be installed. It is not CodeIgniter: it has the classes and methods that the example calls, with
 * the same names, arguments and results, and nothing else.
 *
 * Kept as in the framework, because the example depends on it: routes by HTTP verb; CSRF protection
 * for every POST but those that csrf_exclude_uris names, as regular expressions; raw_input_stream;
 * a deferred BEGIN; a query that fails with db_debug FALSE returns FALSE and throws nothing.
 *
 * APPLICATION_DIRECTORY: the example's `application`. RECEIVER_DATABASE: an SQLite file,
 * or a `mysql:` data source name.
 * DB_DEBUG=0: as a site in production has it.
 */

require __DIR__ . '/../connect.php';

define('BASEPATH', __DIR__ . '/');
define('APPPATH', rtrim((string) getenv('APPLICATION_DIRECTORY'), '/') . '/');

function log_message($level, $message)
{
    error_log(strtoupper($level) . ' - ' . $message);
}

class CI_Config
{
    private $items = [];

    public function load($file)
    {
        $config = [];
        require APPPATH . "config/$file.php";
        $this->items = array_merge($this->items, $config);
        return TRUE;
    }

    public function item($name)
    {
        return $this->items[$name] ?? NULL;
    }
}

class CI_Input
{
    public function __get($name)
    {
        return $name === 'raw_input_stream' ? file_get_contents('php://input') : NULL;
    }

    public function get($name)
    {
        return $_GET[$name] ?? NULL;
    }

    public function get_request_header($name)
    {
        return $_SERVER['HTTP_' . strtoupper(strtr($name, '-', '_'))] ?? NULL;
    }
}

class CI_Output
{
    private $output = '';

    public function set_status_header($code)
    {
        http_response_code($code);
        return $this;
    }

    public function set_content_type($type)
    {
        header("Content-Type: $type");
        return $this;
    }

    public function set_output($output)
    {
        $this->output = $output;
        return $this;
    }

    public function _display()
    {
        echo $this->output;
    }
}

class CI_DB_query_builder
{
    public $db_debug;
    private $pdo;
    private $affected = 0;
    private $status = TRUE;

    public function __construct($path)
    {
        $this->db_debug = getenv('DB_DEBUG') !== '0';
        $this->pdo = connect($path);
        $this->pdo->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_SILENT);
    }

    public function platform()
    {
        return $this->pdo->getAttribute(PDO::ATTR_DRIVER_NAME) === 'mysql' ? 'mysqli' : 'sqlite3';
    }

    public function trans_begin()
    {
        $this->status = TRUE;
        return $this->pdo->beginTransaction();
    }

    public function trans_commit()
    {
        return $this->pdo->commit();
    }

    public function trans_rollback()
    {
        return $this->pdo->rollBack();
    }

    public function trans_status()
    {
        return $this->status;
    }

    public function insert_string($table, $data)
    {
        $values = array_map([$this, 'escape'], $data);
        return "INSERT INTO $table (" . implode(', ', array_keys($data)) . ') VALUES ('
            . implode(', ', $values) . ')';
    }

    public function insert($table, $data)
    {
        return $this->query($this->insert_string($table, $data));
    }

    public function query($sql)
    {
        $count = $this->pdo->exec($sql);
        if ($count !== FALSE) {
            $this->affected = $count;
            return TRUE;
        }
        $this->status = FALSE;
        if ($this->db_debug) {
            // The framework shows its error page: status 500, and the end.
            $this->pdo->inTransaction() && $this->pdo->rollBack();
            http_response_code(500);
            exit('A Database Error Occurred');
        }
        return FALSE;
    }

    public function affected_rows()
    {
        return $this->affected;
    }

    private function escape($value)
    {
        if ($value === NULL) {
            return 'NULL';
        }
        return is_int($value) ? (string) $value : $this->pdo->quote((string) $value);
    }
}

class CI_Loader
{
    private $controller;

    public function __construct($controller)
    {
        $this->controller = $controller;
    }

    public function config($file)
    {
        return $this->controller->config->load($file);
    }

    public function library($name)
    {
        require_once APPPATH . 'libraries/' . ucfirst($name) . '.php';
        $class = ucfirst($name);
        $this->controller->$name = new $class();
    }

    public function model($name)
    {
        require_once APPPATH . 'models/' . ucfirst($name) . '.php';
        $class = ucfirst($name);
        $this->controller->$name = new $class();
    }

    public function database()
    {
        $this->controller->db = new CI_DB_query_builder((string) getenv('RECEIVER_DATABASE'));
    }
}

#[AllowDynamicProperties]
class CI_Controller
{
    public $load;
    public $config;
    public $input;
    public $output;
    private static $instance;

    public function __construct()
    {
        self::$instance = $this;
        $this->config = $GLOBALS['CFG'];
        $this->input = $GLOBALS['IN'];
        $this->output = $GLOBALS['OUT'];
        $this->load = new CI_Loader($this);
    }

    public static function &get_instance()
    {
        return self::$instance;
    }
}

class CI_Model
{
    public function __get($name)
    {
        return CI_Controller::get_instance()->$name;
    }
}

$CFG = new CI_Config();
$CFG->load('config');
$IN = new CI_Input();
$OUT = new CI_Output();
$uri = trim((string) parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH), '/');
$verb = strtoupper($_SERVER['REQUEST_METHOD']);

if ($CFG->item('csrf_protection') && $verb === 'POST') {
    $is_excluded = FALSE;
    foreach ((array) $CFG->item('csrf_exclude_uris') as $excluded) {
        $is_excluded = $is_excluded || preg_match('#^' . $excluded . '$#iu', $uri) === 1;
    }
    if (!$is_excluded) {
        http_response_code(403);
        exit('The action you have requested is not allowed.');
    }
}

$route = [];
require APPPATH . 'config/routes.php';
$verbs = array_change_key_case((array) ($route[$uri] ?? []), CASE_UPPER);
if (!isset($verbs[$verb])) {
    http_response_code(404);
    exit('The page you requested was not found.');
}
list($controller, $method) = explode('/', $verbs[$verb]);
require APPPATH . 'controllers/' . ucfirst($controller) . '.php';
$class = ucfirst($controller);
(new $class())->$method();
$OUT->_display();
